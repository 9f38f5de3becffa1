"""bash: three lines of script for each run; the code itself lies in a file that only a descriptor names."""

import os
import re

from . import spool
from .interpreter import Interpreter, ReplyError, high, waiting
from .lastwords import LastWords
from .outlet import Outlet

REPLY, CODE, SCRIPT = 250, 251, 252
ANSWER = re.compile(rb"done (\d{1,18}) (\d{1,3}) ([01])")
LONGEST_ANSWER = 64


class Bash(Interpreter):
    language = "bash"
    executable = "/bin/bash"
    reply_number = REPLY

    def prepare(self):
        script_end, writer = os.pipe()
        self._script = self.keep(writer)
        # Seekable, so that the shell reads it in blocks; from a pipe it would take one byte at a time.
        self._code = self.keep(spool.create("code"))
        os.write(self._script, b"builtin source %s/driver.sh || exit 127\n" % self.folder.encode())
        placed = {SCRIPT: high(script_end), CODE: high(os.dup(self._code))}
        return ["bash", "--norc", "--noprofile", "/proc/self/fd/%d" % SCRIPT], placed

    def submit(self, number, code):
        data = code.encode("utf-8", "surrogateescape")
        os.ftruncate(self._code, 0)
        written = 0
        while written < len(data):
            written += os.pwrite(self._code, data[written:], written)
        os.lseek(self._code, 0, os.SEEK_SET)
        # The code gets neither the answers nor the file: both are closed while it runs, and so in all it starts.
        self._handed = os.write(
            self._script,
            b"{ __cove_next; } 2>/dev/null\n"
            b"builtin source %s/cell.sh %d>&- %d<&-\n"
            b'{ __cove_report "$?" %d; } 2>/dev/null\n' % (self.folder.encode(), REPLY, CODE, number),
        )

    def untouched(self):
        return waiting(self._script) >= self._handed

    def outlets(self, stdout, stderr):
        return [Outlet(stdout), LastWords(stderr, self.folder)]

    def refusal(self, code):
        if "\0" in code:
            return "ValueError", "the code holds a NUL character, which bash cannot read; write it as $'\\0' or with printf"
        return None

    def decode(self, buffer):
        end = buffer.find(b"\n")
        if end < 0:
            if len(buffer) > LONGEST_ANSWER:
                raise ReplyError("an answer without end")
            return None
        line = bytes(buffer[:end])
        del buffer[: end + 1]
        if line == b"ready":
            return {"t": "ready"}
        match = ANSWER.fullmatch(line)
        if not match:
            raise ReplyError("not an answer")
        number, code, interrupted = (int(group) for group in match.groups())
        done = {"t": "done", "run": number}
        if interrupted:
            error = {"name": "Interrupted", "value": "the run was interrupted", "traceback": "Interrupted"}
            return {**done, "status": "interrupted", "error": error}
        return {**done, "status": "exit" if code else "ok", "exit_code": code}
