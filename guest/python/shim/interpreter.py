"""An interpreter as a child process: its pipes, its start, its end."""

import fcntl
import os
import re
import signal
import struct
import termios

from .outlet import Outlet

# Above whatever number a driver expects, so that placing one descriptor never overwrites another's source.
HIGH = 300
DEFAULT_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/home/user", "LANG": "C.UTF-8"}
MAX_REPLY_BUFFER = 2 << 20


class ReplyError(Exception):
    """The interpreter's answer makes no sense: its guest has written on the reply pipe, or closed it."""


class Interpreter:
    """What bash and Node have in common; a language says how it starts, how code reaches it and how it answers."""

    language = ""
    executable = ""

    def __init__(self, folder):
        self.folder = folder
        self.environment = dict(DEFAULT_ENVIRONMENT)
        self.soft_memory_bytes = None
        self.pid = None
        self.ready = False
        self.outputs = ()
        self.reply = None
        self.silent = False
        self.ended_by = None  # The signal that ended the last one. Its code does not tell: `exit 200` is not signal 72.
        self._replies = bytearray()
        self._own = []

    # What a language supplies.
    def prepare(self):
        """Make the language's own channels: return (arguments, {number in the child: descriptor here})."""
        raise NotImplementedError

    def submit(self, number, code):
        """Hand one piece of code to a ready interpreter."""
        raise NotImplementedError

    def decode(self, buffer):
        """Take one answer off the front of `buffer`, or None; ReplyError when it is none."""
        raise NotImplementedError

    def untouched(self):
        """Of one that ended: whether it had read nothing of what was submitted last, so that no part of that can have begun."""
        raise NotImplementedError

    def interrupt(self, number):
        """Stop the run of that number, keep the state."""
        self._signal_group(signal.SIGINT)

    def refusal(self, code):
        """Why this code can't be run at all, or None."""
        return None

    def outlets(self, stdout, stderr):
        """Where the output of a run goes."""
        return [Outlet(stdout), Outlet(stderr)]

    # What they share.
    def version(self):
        """Ask the program itself, before any guest code exists."""
        if not os.access(self.executable, os.X_OK):
            return ""
        reader, writer = os.pipe()
        try:
            pid = os.posix_spawn(
                self.executable, [self.executable, "--version"], DEFAULT_ENVIRONMENT,
                file_actions=[(os.POSIX_SPAWN_DUP2, writer, 1)], setsigdef=_every_signal(), setsigmask=[],
            )
            os.close(writer)
            writer = None
            text = b""
            while chunk := os.read(reader, 4096):
                text += chunk
            os.waitpid(pid, 0)
        finally:
            os.close(reader)
            if writer is not None:
                os.close(writer)
        found = re.search(rb"\d+\.\d+\.\d+", text)
        return found.group().decode() if found else ""

    def start(self):
        """Start a fresh interpreter; OSError when that can't be done."""
        arguments, placed = self.prepare()
        ends = [_pipe() for _ in range(3)]
        stdout, stderr, reply = ends
        actions = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)]
        placed = {1: stdout[1], 2: stderr[1], self.reply_number: reply[1], **placed}
        actions += [(os.POSIX_SPAWN_DUP2, source, number) for number, source in placed.items()]
        try:
            self.pid = os.posix_spawn(
                self.executable, arguments, self.environment, file_actions=actions,
                setpgroup=0, setsigdef=_every_signal(), setsigmask=[],
            )
        except OSError:
            for fd in {stdout[0], stderr[0], reply[0], *placed.values()}:
                os.close(fd)
            self._close_own()
            raise
        for fd in placed.values():
            os.close(fd)
        self.outputs = (stdout[0], stderr[0])
        self.reply = reply[0]
        for fd in (*self.outputs, self.reply):
            os.set_blocking(fd, False)
        self.ready = self.silent = False
        self._replies.clear()

    def keep(self, fd):
        """A descriptor of the language's own, closed when this interpreter is gone."""
        self._own.append(fd)
        return fd

    def read_replies(self):
        """Every complete answer that has arrived."""
        try:
            data = os.read(self.reply, 65536)
        except BlockingIOError:
            return []
        if not data:
            # `exec program` closes it too: what is left is to wait for the end, or for an interrupt.
            self.silent = True
            return []
        self._replies += data
        if len(self._replies) > MAX_REPLY_BUFFER:
            raise ReplyError("an answer without end")
        answers = []
        while (answer := self.decode(self._replies)) is not None:
            answers.append(answer)
        return answers

    def reap(self):
        """The exit code if the interpreter has ended (128 + n for a signal), else None."""
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            return 255
        if pid == 0:
            return None
        code = os.waitstatus_to_exitcode(status)
        self.ended_by = -code if code < 0 else None
        return 128 - code if code < 0 else code

    def kill(self):
        """End the interpreter, and not what it left in the background."""
        try:
            os.kill(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def kill_group(self):
        self._signal_group(signal.SIGKILL)

    def forget(self):
        """Close everything that belonged to an interpreter that has ended."""
        for fd in (*self.outputs, self.reply):
            os.close(fd)
        self._close_own()
        self.outputs, self.reply, self.pid, self.ready = (), None, None, False

    def _close_own(self):
        for fd in self._own:
            os.close(fd)
        self._own.clear()

    def _signal_group(self, number):
        try:
            os.killpg(self.pid, number)
        except (ProcessLookupError, PermissionError):
            pass


def waiting(fd):
    """How many bytes a pipe holds now."""
    return struct.unpack("i", fcntl.ioctl(fd, termios.FIONREAD, b"\0\0\0\0"))[0]


def high(fd):
    """Move a descriptor above every number a driver uses."""
    moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, HIGH)
    os.close(fd)
    return moved


def _pipe():
    reader, writer = os.pipe()
    return reader, high(writer)


def _every_signal():
    # Python ignores SIGPIPE and SIGXFSZ, and an ignored signal would stay so in everything the guest starts.
    return [number for number in signal.valid_signals() if number not in (signal.SIGKILL, signal.SIGSTOP)]
