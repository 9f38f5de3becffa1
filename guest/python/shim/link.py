"""The control link: frames from the engine, with the descriptors that travel beside them."""

import array
import os
import socket

from . import frames

MAX_DESCRIPTORS = 16


class Link:
    def __init__(self, fd):
        self._socket = socket.socket(fileno=fd)
        self._socket.setblocking(True)
        os.set_inheritable(fd, False)  # The interpreter must not speak in our place.
        self._buffer = bytearray()
        self._descriptors = []

    def fileno(self):
        return self._socket.fileno()

    def send(self, message):
        self._socket.sendall(frames.encode(message))

    def receive(self):
        """Read what has arrived. False at the end of the link."""
        size = array.array("i").itemsize
        try:
            data, ancillary, _, _ = self._socket.recvmsg(
                65536, socket.CMSG_SPACE(MAX_DESCRIPTORS * size), socket.MSG_CMSG_CLOEXEC | socket.MSG_DONTWAIT
            )
        except BlockingIOError:
            return True
        except ConnectionError:
            return False
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                received = array.array("i")
                received.frombytes(payload[: len(payload) - len(payload) % size])
                self._descriptors.extend(received)
        self._buffer += data
        return bool(data)

    def next(self):
        """The next complete frame, or None."""
        return frames.take(self._buffer)

    def descriptors(self, count):
        """The oldest `count` descriptors, or None when fewer came."""
        if len(self._descriptors) < count:
            return None
        taken, self._descriptors = self._descriptors[:count], self._descriptors[count:]
        for fd in taken:
            os.set_inheritable(fd, False)
        return taken
