"""The link to the engine: frames in, frames out, a descriptor beside an answer where one belongs."""

import array
import json
import socket

MAX_FRAME = 1 << 20


class BadFrame(Exception):
    """Bytes that are no request; the next frame begins after them all the same."""


class Link:
    def __init__(self, fd):
        self._socket = socket.socket(fileno=fd)
        self._socket.setblocking(True)

    def receive(self):
        """The next request; EOFError at the end of the link, BadFrame for what is none."""
        length = int.from_bytes(self._read(4), "big")
        if not 1 <= length <= MAX_FRAME:
            self._skip(length)
            raise BadFrame("a frame holds 1 to %d bytes, not %d" % (MAX_FRAME, length))
        body = self._read(length)
        try:
            message = json.loads(body.decode("utf-8"))
        except (ValueError, RecursionError):
            raise BadFrame("a frame holds JSON in UTF-8") from None
        if not isinstance(message, dict):
            raise BadFrame("a frame holds one JSON object")
        return message

    def send(self, message, descriptor=None):
        body = encode(message)
        frame = len(body).to_bytes(4, "big") + body
        rights = []
        if descriptor is not None:
            rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [descriptor]))]
        sent = self._socket.sendmsg([frame], rights)
        self._socket.sendall(memoryview(frame)[sent:])

    def _read(self, size):
        data = bytearray()
        while len(data) < size:
            chunk = self._socket.recv(min(size - len(data), 1 << 16))
            if not chunk:
                raise EOFError
            data += chunk
        return bytes(data)

    def _skip(self, size):
        while size > 0:
            size -= len(self._read(min(size, 1 << 16)))


def encode(message):
    return json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
