"""Descriptors 0, 1, 2 and the sys.stdin, sys.stdout, sys.stderr above them.

A run's pipes are moved onto 1 and 2, so that subprocesses, C code and os.write arrive where print does. Between runs
all three are /dev/null. The text objects outlive runs: a logging handler made in the first cell still writes in the
tenth. They are only made anew when guest code closed, detached or re-encoded them.

Output is flushed at every line end and not held back for a while: a timer would need a thread (which a live fork
forbids) or a signal (which is the guest's), and without one the last lines before a long sleep would wait for its end.
"""
from .own import BUILTINS as __builtins__

import _io
import ctypes
import os
import sys

BUFFER = 32_768

_dup2, _close, _open = os.dup2, os.close, os.open
_sys = sys.__dict__
_fflush = ctypes.CDLL(None).fflush
_fflush.argtypes = [ctypes.c_void_p]
_FileIO, _BufferedWriter, _BufferedReader, _TextIOWrapper = (
    _io.FileIO, _io.BufferedWriter, _io.BufferedReader, _io.TextIOWrapper)
_flush = _TextIOWrapper.flush  # whatever guest code put onto the objects


def _writer(fd, name):
    # closefd=False: sys.stdout.close() closes the object, not the descriptor that the next run needs.
    raw = _FileIO(fd, "w", closefd=False)
    raw.name = name
    # backslashreplace: a stray surrogate in a value is shown, never an exception in the middle of a print.
    return _TextIOWrapper(_BufferedWriter(raw, BUFFER), "utf-8", "backslashreplace", None, True)


def _sound(stream):
    try:
        return (not stream.closed and stream.encoding == "utf-8" and stream.errors == "backslashreplace"
                and stream.line_buffering and not stream.write_through)
    except ValueError:  # detached
        return False


def _ask(stream):
    try:
        stream.flush()
    except Exception:
        pass  # a closed StringIO, or an object that only knows write()


class Streams:
    def __init__(self):
        self.null = _open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        self.stdout = self.stderr = self.stdin = None
        self._flushed = False
        self.close(False)
        self.rest()
        self._renew()

    def open(self, out, err):
        """Starts a run's streams."""
        _dup2(out, 1)
        _close(out)
        _dup2(err, 2)
        _close(err)
        self._renew()

    def flush(self):
        """Everything written so far reaches the pipes: Python's buffers, then C's. May run guest code."""
        self._flushed, flushed = False, True
        try:
            for name, mine in (("stdout", self.stdout), ("stderr", self.stderr)):
                theirs = _sys.get(name)
                if theirs is not mine and theirs is not None:
                    _ask(theirs)
                if "flush" in mine.__dict__:
                    _ask(mine)
        finally:
            # Ours after theirs, whatever became of those: what the guest calls a flush may write to either of them.
            for mine in (self.stdout, self.stderr):
                try:
                    _flush(mine)
                except (OSError, ValueError):
                    flushed = False  # the engine hung up, or guest code closed it
            self._flushed = _fflush(None) == 0 and flushed

    def close(self, loose):
        """Ends a run's streams: from here on 1 and 2 lead nowhere. `loose`: objects of the guest's were let go, which may have written."""
        self._nowhere(1)
        self._nowhere(2)
        # What an interrupted or failed flush left in the buffers, or such objects wrote, belongs to no later run: it goes to
        # /dev/null.
        if self._flushed and not loose:
            return
        for stream in (self.stdout, self.stderr):
            if stream is not None:
                try:
                    _flush(stream)
                except BaseException:
                    pass  # as in `flush`; or guest code replaced what lies beneath
        _fflush(None)

    def rest(self):
        """What may wait until `done` is told: nothing of a run's leads to 0, unless guest code made it so."""
        self._nowhere(0)

    def _nowhere(self, fd):
        try:
            _dup2(self.null, fd)
        except OSError:
            self.null = _open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
            _dup2(self.null, fd)

    def replaced(self):
        """True while guest code (a redirect, %%capture) put something else in sys.stdout's place."""
        return _sys.get("stdout") is not self.stdout

    def _renew(self):
        if self.stdout is None or not _sound(self.stdout):
            self.stdout = _writer(1, "<stdout>")
        if self.stderr is None or not _sound(self.stderr):
            self.stderr = _writer(2, "<stderr>")
        if self.stdin is None or self.stdin.closed:
            raw = _FileIO(0, "r", closefd=False)
            raw.name = "<stdin>"
            self.stdin = _TextIOWrapper(_BufferedReader(raw), "utf-8", "backslashreplace")
        _sys["stdout"] = _sys["__stdout__"] = self.stdout
        _sys["stderr"] = _sys["__stderr__"] = self.stderr
        _sys["stdin"] = _sys["__stdin__"] = self.stdin
