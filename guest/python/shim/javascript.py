"""Node: frames in both directions, and a byte on a pipe of its own to interrupt it."""

import os

from . import frames
from .interpreter import Interpreter, ReplyError, high, waiting

REQUESTS, REPLY, INTERRUPTS = 3, 4, 5
MIB = 1 << 20
# What a Node process needs beside its JavaScript heap: code, stacks of its threads, buffers.
RESERVED = 96 * MIB


class JavaScript(Interpreter):
    language = "javascript"
    executable = "/usr/bin/node"
    reply_number = REPLY

    def prepare(self):
        reader, requests = os.pipe()
        ear, interrupts = os.pipe()
        self._requests = self.keep(requests)
        self._interrupts = self.keep(interrupts)
        os.set_blocking(interrupts, False)
        self._cells = getattr(self, "_cells", 0)
        home = self.environment.get("HOME")
        if home and "NODE_PATH" not in self.environment:
            # So that require() finds what was installed in the home directory from anywhere, child processes included.
            self.environment["NODE_PATH"] = os.path.join(home, "node_modules")
        arguments = ["node", *self._flags(), self.folder + "/kernel.js"]
        return arguments, {REQUESTS: high(reader), INTERRUPTS: high(ear)}

    def _flags(self):
        # An interrupt unwinds timers without their bookkeeping; with these checks on Node would abort over that.
        flags = ["--no-force-async-hooks-checks"]
        if self.soft_memory_bytes:
            heap = max(self.soft_memory_bytes * 3 // 4 - RESERVED, self.soft_memory_bytes // 3, 24 * MIB)
            flags.append("--max-old-space-size=%d" % (heap // MIB))
        return flags

    def submit(self, number, code):
        self._cells += 1
        data = memoryview(frames.encode({"run": number, "cell": self._cells, "code": code}))
        self._handed = len(data)
        while data:
            data = data[os.write(self._requests, data) :]

    def untouched(self):
        return waiting(self._requests) >= self._handed

    def interrupt(self, number):
        try:
            os.write(self._interrupts, number.to_bytes(4, "big"))
        except (BlockingIOError, BrokenPipeError):
            pass
        # For what it waits for in the foreground (execSync); Node itself only takes note.
        super().interrupt(number)

    def decode(self, buffer):
        try:
            answer = frames.take(buffer)
        except frames.FrameError as error:
            raise ReplyError(str(error)) from error
        if answer is not None and answer.get("t") not in ("ready", "display", "done"):
            raise ReplyError("not an answer")
        return answer
