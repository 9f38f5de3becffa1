"""Calls of the caller's tools: sent on a run's result pipe, answered on its host pipe.

No thread waits for answers (a live fork forbids one): each event loop that awaits a call watches the pipe itself, and
whichever of them wakes takes what has come, for all. The engine trusts none of what is checked here and checks it again;
here it is checked so that honest code gets an exception, where the engine would end the kernel.
"""
from .own import BUILTINS as __builtins__

import _thread
import asyncio
import json.decoder
import json.encoder
import json.scanner
import os
import select
import struct

from . import signals

PENDING = 128
ARGUMENTS = 262_144
WAITING = 4_194_304
_READ = 65_536

_length = struct.Struct(">I")
# Python refuses to read a whole number of very many digits at all.


def _whole(digits):
    return int(digits) if len(digits) < 4_000 else float(digits)


_scan = json.scanner.make_scanner(json.decoder.JSONDecoder(parse_int=_whole))
_read, _close, _getpid, _poll = os.read, os.close, os.getpid, select.poll
_running = asyncio.get_running_loop


class ToolCallError(Exception):
    """A tool call that failed: `category` says how, `retryable` whether the same call may succeed later."""
    __module__ = "tools"
    _kernel_module = __name__

    def __init__(self, message, tool=None, category="unavailable", retryable=False):
        super().__init__(message)
        self.tool, self.category, self.retryable = tool, category, retryable


class ToolTimeoutError(ToolCallError, TimeoutError):
    """A tool call that was not answered in time."""
    __module__ = "tools"
    _kernel_module = __name__

    def __str__(self):
        return str(self.args[0])


def _plain(value):
    """What is no JSON but has an obvious form in it."""
    for name in ("tolist", "isoformat", "__fspath__"):
        form = getattr(value, name, None)
        if form is not None:
            return form()
    if isinstance(value, (set, frozenset)):
        return list(value)
    raise TypeError("a %s can't be passed to a tool: pass numbers, text, lists and dicts" % type(value).__name__)


_encode = json.encoder.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain).encode


class Calls:
    """The tool calls of one run."""

    def __init__(self, fd, results):
        self._fd = fd
        self._results = results
        self._pid = _getpid()
        self._lock = _thread.allocate_lock()
        self._buffer = bytearray()
        self._loops = []
        self._futures = {}
        self._unanswered = {}
        self._made = self._most = self._held = 0
        self._declared = None

    def declared(self):
        """What the caller declared, a list; read when it is first asked for."""
        while self._declared is None and self._fd >= 0:
            self._deliver(self._take())
            if self._declared is None and self._fd >= 0:
                waiting = _poll()
                waiting.register(self._fd, select.POLLIN)
                waiting.poll()
        return self._declared or []

    async def call(self, name, arguments):
        text = _encode(arguments)
        size = len(text.encode("utf-8", "replace"))
        if size > ARGUMENTS:
            raise ToolCallError("The arguments take %d bytes, of at most %d: write them to a file and pass its path."
                                % (size, ARGUMENTS), name, "input")
        loop = _running()
        self._watch(loop)
        future = loop.create_future()
        number = self._send(name, text, size, future, loop)
        signals.check()
        try:
            return await future
        finally:
            self._futures.pop(number, None)

    def end(self):
        """The run is over: who still waits is cancelled. Runs code of event loops, which may be the guest's."""
        futures, self._futures = self._futures, {}
        loops, self._loops = self._loops, []
        for loop in loops:
            if not loop.is_closed() and not loop.is_running():
                loop.remove_reader(self._fd)
        for future, loop in futures.values():
            if not loop.is_closed():
                loop.call_soon_threadsafe(future.cancel)

    def close(self):
        """Whatever happens from here on, no call of this run's is made. Runs no guest code."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            try:
                _close(fd)
            except OSError:
                pass  # guest code closed it

    def _watch(self, loop):
        if self._fd < 0 or _getpid() != self._pid:
            raise ToolCallError("The run that could call this tool has ended." if self._fd < 0 else
                                "Only the process that runs the code can call tools, not one that it forked.", category="policy")
        if not any(known is loop for known in self._loops):
            # A loop that was not told of the end of an earlier run may still have a pipe of this number in its books.
            loop.remove_reader(self._fd)
            loop.add_reader(self._fd, self._arrived)
            self._loops.append(loop)

    @signals.unbroken
    def _send(self, name, text, size, future, loop):
        with self._lock:
            if self._made >= self._most:
                raise ToolCallError("The run has made the %d tool calls that it may make." % self._most, name, "budget")
            if len(self._unanswered) >= PENDING:
                raise ToolCallError("%d tool calls wait already; await some of them first." % PENDING, name, "limit", True)
            if self._held + size > WAITING:
                raise ToolCallError("The arguments of calls that wait take %d bytes already, of at most %d with these; await some calls first."
                                    % (self._held, WAITING), name, "limit", True)
            self._made += 1
            self._unanswered[self._made] = size
            self._held += size
            self._futures[self._made] = future, loop
            if not self._results.call(self._made, name, text):
                raise ToolCallError("The run that could call this tool has ended.", name, "policy")
            return self._made

    def _arrived(self):
        self._deliver(self._take())
        signals.check()

    def _deliver(self, answers):
        for (future, loop), error, result in answers:
            if _same(loop):
                _settle(future, error, result)
            else:
                loop.call_soon_threadsafe(_settle, future, error, result)

    @signals.unbroken
    def _take(self):
        """The answers that have come: [((future, loop), error or None, result)]."""
        answers = []
        with self._lock:
            ended = self._fill()
            while len(self._buffer) >= 4:
                size = _length.unpack_from(self._buffer)[0] + 4
                if len(self._buffer) < size:
                    break
                frame = _scan(str(self._buffer[4:size], "utf-8", "surrogatepass"), 0)[0]
                del self._buffer[:size]
                if frame["t"] == "host_tools":
                    self._declared, self._most = frame["tools"], frame["max_calls"]
                    continue
                self._held -= self._unanswered.pop(frame["call"], 0)
                waiting = self._futures.pop(frame["call"], None)
                if waiting is not None:
                    answers.append((waiting, frame.get("error"), frame.get("result")))
            if ended:
                gone = {"category": "policy", "retryable": False, "message": "The run that could call this tool has ended."}
                answers += [(waiting, gone, None) for waiting in self._futures.values()]
                self._futures = {}
        return answers

    def _fill(self):
        """Reads what is there; True at the end of the pipe."""
        while self._fd >= 0:
            try:
                data = _read(self._fd, _READ)
            except BlockingIOError:
                return False
            except OSError:
                data = b""
            if not data:
                for loop in [loop for loop in self._loops if _same(loop)]:
                    loop.remove_reader(self._fd)
                self.close()
                return True
            self._buffer += data
        return True


def _same(loop):
    try:
        return _running() is loop
    except RuntimeError:
        return False


def _settle(future, error, result):
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        kind = ToolTimeoutError if error["category"] == "timeout" else ToolCallError
        future.set_exception(kind(error["message"], None, error["category"], error["retryable"]))
