"""What takes long: it is given a stream of its own (one end goes to the engine beside the answer) and a worker of its own (the engine starts
one for each), so that no other call waits for it."""

import os
import socket

from .failures import Failure, from_errno

PIECE = 1 << 20


class Stream:
    """Our end of a stream socket: whole reads and writes, and the end of whoever went away."""

    def __init__(self, end):
        self.socket = end
        self.taken = 0

    def read(self, size):
        """Exactly `size` bytes, or what was left before the end."""
        data = bytearray(size)
        held = self.read_into(memoryview(data))
        self.taken += held
        return bytes(data[:held])

    def read_into(self, view):
        held = 0
        while held < len(view):
            count = self.socket.recv_into(view[held:])
            if not count:
                break
            held += count
        return held

    def write(self, data):
        self.socket.sendall(data)

    def send_file(self, file, size):
        """`size` bytes of an open file; how many were missing."""
        left = size
        while left:
            count = os.sendfile(self.socket.fileno(), file, None, min(left, PIECE))
            if not count:
                break
            left -= count
        return left


class Errand:
    """The last errand's end, kept until the engine asks for it."""

    def __init__(self):
        self._end = None

    def run(self, answer, work):
        """Answers with the engine's end of a fresh stream, then works; whatever it comes to is kept. `work(stream)` returns the answer's fields."""
        ours, theirs = socket.socketpair()
        ours.setblocking(True)
        with ours:
            with theirs:
                answer(theirs.fileno())
            self._end = None
            try:
                self._end = work(Stream(ours))
            except Failure as failure:
                self._end = failure
            except ConnectionError:
                self._end = Failure("busy", "the other end went away before all was done")
            except OSError as error:
                self._end = from_errno(error, "something in the folder")

    def end(self):
        if self._end is None:
            raise Failure("bad_request", "no errand has been run")
        if isinstance(self._end, Failure):
            raise self._end
        return self._end
