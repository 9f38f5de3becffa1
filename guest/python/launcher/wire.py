"""Frames between the engine and the launcher, and between the launcher and its zygotes: a 4-byte big-endian length and a JSON object.

A frame says in `fds` how many descriptors came with it. Both ends are trusted; the lengths are checked all the same.
"""

import array
import json
import os
import socket
import struct

MAX_FRAME = 1 << 20
_MAX_DESCRIPTORS = 32


class Link:
    def __init__(self, stream):
        self.socket = stream
        self._buffer = bytearray()
        self._descriptors = []

    def fileno(self):
        return self.socket.fileno()

    def send(self, message, descriptors=()):
        body = json.dumps({**message, "fds": len(descriptors)}, separators=(",", ":")).encode()
        if len(body) > MAX_FRAME:
            raise ValueError(f"a frame of {len(body)} bytes is over the limit of {MAX_FRAME}")
        data = struct.pack(">I", len(body)) + body
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        sent = self.socket.sendmsg([data], ancillary)
        if sent < len(data):
            self.socket.sendall(data[sent:])

    def receive(self):
        """Reads what is there and returns whole messages as (message, descriptors); None at the end of the link."""
        data, ancillary, _, _ = self.socket.recvmsg(1 << 16, socket.CMSG_SPACE(4 * _MAX_DESCRIPTORS), socket.MSG_CMSG_CLOEXEC)
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                numbers = array.array("i")
                numbers.frombytes(content[:len(content) - len(content) % numbers.itemsize])
                self._descriptors.extend(numbers)
        if not data:
            return None
        self._buffer += data
        return list(self._messages())

    def _messages(self):
        while len(self._buffer) >= 4:
            length, = struct.unpack_from(">I", self._buffer)
            if not 1 <= length <= MAX_FRAME:
                raise ValueError(f"a frame of {length} bytes")
            if len(self._buffer) < 4 + length:
                return
            message = json.loads(self._buffer[4:4 + length])
            del self._buffer[:4 + length]
            count = message.get("fds", 0)
            descriptors, self._descriptors = self._descriptors[:count], self._descriptors[count:]
            if len(descriptors) != count:
                raise ValueError(f"a frame promised {count} descriptors and brought {len(descriptors)}")
            yield message, descriptors


def close_all(descriptors):
    for descriptor in descriptors:
        os.close(descriptor)
