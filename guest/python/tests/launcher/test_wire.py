import json
import os
import random
import socket
import struct
import unittest

from launcher import wire


def frame(message):
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return struct.pack(">I", len(body)) + body


class WireTest(unittest.TestCase):
    def setUp(self):
        ours, self.peer = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.link = wire.Link(ours)
        self.addCleanup(ours.close)
        self.addCleanup(self.peer.close)

    def receive_all(self):
        self.peer.shutdown(socket.SHUT_WR)
        messages = []
        while (received := self.link.receive()) is not None:
            messages += received
        return messages

    def test_frames_come_whole_however_they_were_cut(self):
        messages = [{"n": i, "text": "é" * (i * 7 % 50)} for i in range(200)]
        data = b"".join(map(frame, messages))
        order = random.Random(1)
        received = []
        while data:
            cut = order.randint(1, 300)
            self.peer.sendall(data[:cut])
            data = data[cut:]
            received += self.link.receive()
        self.assertEqual([m for m, _ in received], messages)

    def test_descriptors_stay_with_their_frame(self):
        other = wire.Link(self.peer)
        pipes = [os.pipe() for _ in range(3)]
        other.send({"n": 0}, [pipes[0][1]])
        other.send({"n": 1})
        other.send({"n": 2}, [pipes[1][1], pipes[2][1]])
        received = self.receive_all()
        self.assertEqual([(m["n"], len(d)) for m, d in received], [(0, 1), (1, 0), (2, 2)])
        for (_, descriptors), texts in zip(received, ((b"a",), (), (b"b", b"c"))):
            for descriptor, text in zip(descriptors, texts):
                os.write(descriptor, text)
                self.assertFalse(os.get_inheritable(descriptor))
        self.assertEqual([os.read(read, 1) for read, _ in pipes], [b"a", b"b", b"c"])
        for descriptor in [d for pair in pipes for d in pair] + [d for _, ds in received for d in ds]:
            os.close(descriptor)

    def test_lengths_are_checked_before_they_are_believed(self):
        for length in (0, wire.MAX_FRAME + 1, 0xFFFFFFFF):
            link, peer = self.pair()
            peer.sendall(struct.pack(">I", length))
            with self.assertRaises(ValueError):
                link.receive()

    def test_what_is_too_large_is_not_sent(self):
        with self.assertRaises(ValueError):
            self.link.send({"text": "x" * wire.MAX_FRAME})

    def test_promised_descriptors_that_did_not_come_are_an_error(self):
        link, peer = self.pair()
        peer.sendall(frame({"fds": 1}))
        with self.assertRaises(ValueError):
            link.receive()

    def test_noise_ends_in_messages_or_in_a_value_error_and_nothing_else(self):
        order = random.Random(2)
        good = frame({"op": "cell", "fds": 0, "id": 1})
        for _ in range(5000):
            link, peer = self.pair()
            data = bytearray(good * order.randint(1, 3))
            for _ in range(order.randint(0, 4)):
                data[order.randrange(len(data))] = order.randrange(256)
            peer.sendall(bytes(data[:order.randint(1, len(data))]))
            peer.shutdown(socket.SHUT_WR)
            try:
                while (received := link.receive()) is not None:
                    for message, _ in received:
                        self.assertIsInstance(message, dict)
            except ValueError:
                pass
            finally:
                link.socket.close()
                peer.close()

    def pair(self):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.addCleanup(ours.close)
        self.addCleanup(theirs.close)
        return wire.Link(ours), theirs
