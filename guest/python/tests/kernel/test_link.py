"""What the signal handler is told while the control link is read."""
import socket
import unittest
from unittest import mock

from kernel import link


class Arriving(unittest.TestCase):
    def setUp(self):
        self.engine, kernel = socket.socketpair()
        self.addCleanup(self.engine.close)
        self.control = link.Control(kernel.detach())
        self.addCleanup(self.control._socket.close)

    def test_a_message_is_seen_from_its_coming_until_it_is_served(self):
        self.assertFalse(self.control.arriving())
        self.engine.sendall(b"\0\0\0\2{}")
        self.assertTrue(self.control.arriving())
        inside, received = [], self.control._socket.recvmsg_into

        def receive(*arguments):
            answer = received(*arguments)
            inside.append(self.control.arriving())  # here a signal may come: it has left the socket, and nothing else was done yet
            return answer

        with mock.patch.object(self.control, "_socket", mock.Mock(recvmsg_into=receive)):
            self.assertEqual({}, self.control.receive())
        self.assertEqual([True], inside)
        self.assertTrue(self.control.arriving())
        self.control.served()
        self.assertFalse(self.control.arriving())

    def test_what_lay_there_before_is_not_taken_for_another(self):
        for _ in range(3):
            self.engine.sendall(b"\0\0\0\2{}")
            self.control.receive()
            self.control.served()
            self.assertFalse(self.control.arriving())


if __name__ == "__main__":
    unittest.main()
