"""Frames: a 4-byte big-endian length and that many bytes of JSON; descriptors beside the first byte.

Nothing here runs Python code that guest code could have replaced: the socket, the struct and the JSON scanner are C
objects held since import.
"""
from .own import BUILTINS as __builtins__

import _socket
import _thread
import json.decoder
import json.encoder
import json.scanner
import os
import select
import struct

from . import signals

MAX_FRAME = 1 << 20
# Escaping makes at most six bytes of a character, so such a piece always fits a frame.
PIECE = 131_072
ASCII_PIECE = 917_504
# Below what the engine allows a run (10,000 frames, 16 MiB), with room for the last frames: going over would cost
# the sandbox its kernel, and a loop around display() is no attack.
FRAMES = 9_900
DISPLAY_BYTES = (16 << 20) - (256 << 10)
# A cell's value is followed by `done` at once: a small one waits for it and spares both sides a wake-up.
HELD = 4_096
# A value of so many characters surely fits what is held.
SHORT = 512
# Read at once; most messages are shorter. Memory that every kernel has for itself.
_LANDING = 4_096
# No frame begins with this byte: it would be longer than MAX_FRAME.
_NOTHING = 0xFF

_length = struct.Struct(">I")
_unpack_from, _int = struct.unpack_from, struct.calcsize("=i")
_scan = json.scanner.make_scanner(json.decoder.JSONDecoder())
_quote = json.encoder.encode_basestring
_write, _close, _getpid = os.write, os.close, os.getpid
_space = _socket.CMSG_SPACE(16 * _int)
_SOCKET, _RIGHTS = _socket.SOL_SOCKET, _socket.SCM_RIGHTS
_cloexec = _socket.MSG_CMSG_CLOEXEC
_truncated = _socket.MSG_CTRUNC


def quote(text):
    """A JSON string in UTF-8. Half a surrogate pair has no UTF-8 and strict readers refuse its escape: it becomes ?."""
    return _quote(text).encode("utf-8", "replace")


class ControlLost(Exception):
    """The engine hung up, or the link no longer carries the protocol."""


class Control:
    """The control link, kernel side."""

    def __init__(self, fd):
        self._socket = _socket.socket(fileno=fd)
        # A timeout or O_NONBLOCK left by whoever made the socket would end the kernel when it is idle.
        self._socket.setblocking(True)
        self._peek = select.poll()
        self._peek.register(fd, select.POLLIN)
        self._landing = bytearray([_NOTHING]) * _LANDING
        self._into = [self._landing]
        self._reading = False
        self._buffer = b""
        self._fds = []

    def hello(self, version):
        body = b'{"t":"hello","generation":2,"language":"python","version":%s}' % quote(version)
        self._socket.sendall(_length.pack(len(body)) + body)

    def receive(self):
        """The next message; descriptors queue up in the order they came and are taken by `take`."""
        self._reading = bool(self._buffer)
        if not self._reading:
            self._buffer = self._await()
        while len(self._buffer) < 4:
            self._fill(_LANDING)
        size = _length.unpack_from(self._buffer)[0]
        if not 1 <= size <= MAX_FRAME:
            raise ControlLost
        size += 4
        if len(self._buffer) < size:
            # Joined once: adding to a bytes object per read is quadratic in a large frame.
            chunks, have = [self._buffer], len(self._buffer)
            while have < size:
                self._buffer = b""
                self._fill(size - have)
                chunks.append(self._buffer)
                have += len(self._buffer)
            self._buffer = b"".join(chunks)
        body = str(self._buffer[4:size], "utf-8")
        self._buffer = self._buffer[size:]
        return _scan(body, 0)[0]

    def arriving(self):
        """Whether a message has come that the kernel has not begun to serve. Asked by the signal handler."""
        return self._reading or self._landing[0] != _NOTHING or bool(self._peek.poll(0))

    def _await(self):
        """Waits for a message and reads what has come of it, in one system call.

        `arriving` has no gap all the same: what has left the socket lies in _landing before the interpreter can look
        for signals, and its first byte tells, until _reading does.
        """
        size, ancillary, flags, _ = self._patiently(self._socket.recvmsg_into, self._into)
        self._reading = True
        data = self._landing[:size]
        self._landing[0] = _NOTHING
        return self._received(data, ancillary, flags)

    def served(self):
        self._reading = False

    def more(self):
        """Whether another message is waiting behind the one just received."""
        self._reading = bool(self._buffer)
        return self.arriving()

    def take(self, count):
        if len(self._fds) < count:
            raise ControlLost
        taken, self._fds = self._fds[:count], self._fds[count:]
        return taken

    def _fill(self, size):
        data, ancillary, flags, _ = self._patiently(self._socket.recvmsg, size)
        self._buffer += self._received(data, ancillary, flags)

    def _patiently(self, read, what):
        while True:
            try:
                return read(what, _space, _cloexec)
            except BlockingIOError:
                # Guest code set O_NONBLOCK, or a timeout, on the descriptor: an idle kernel would end of it.
                self._socket.setblocking(True)
                self._socket.setsockopt(_SOCKET, _socket.SO_RCVTIMEO, bytes(16))

    def _received(self, data, ancillary, flags):
        for level, kind, payload in ancillary:
            if level == _SOCKET and kind == _RIGHTS:
                self._fds += _unpack_from("=%di" % (len(payload) // _int), payload)
        if not data or flags & _truncated:
            raise ControlLost
        return data


class Results:
    """The result pipe of one run. When the engine gave the run up, the rest goes nowhere, silently."""

    # What few runs change is not set for each.
    value = None  # the text of the cell's value, while it is held
    _frames, _room, _part, _refused, _held = FRAMES, DISPLAY_BYTES, 0, False, b""

    def __init__(self, fd, run, pid):
        self._fd = fd
        self._run = quote(run)
        self._pid = pid
        self._lock = _thread.allocate_lock()

    def mine(self):
        """False in a process forked by guest code: two writers would tear each other's frames."""
        return _getpid() == self._pid

    def display(self, kind, data, metadata):
        """`data`: MIME type -> text. False when the run's display budget is used up (the first refusal says so)."""
        whole, cut, size, frames = [], [], 0, 2
        for mime, text in data.items():
            step = PIECE
            if len(text) > PIECE // 2 and text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
                step = ASCII_PIECE
            if len(text) > step // 2:
                pieces = [quote(text[at:at + step]) for at in range(0, len(text), step)]
                size += sum(map(len, pieces))
                frames += len(pieces)
                cut.append((quote(mime), pieces))
            else:
                whole.append((quote(mime), quote(text)))
                size += len(whole[-1][1])
        if len(whole) > 1:
            # Several middling values may not fit one frame together: the largest go as parts.
            whole.sort(key=_value_length)
            while sum(len(name) + len(value) + 2 for name, value in whole) > ASCII_PIECE:
                name, value = whole.pop()
                cut.append((name, [value]))
                frames += 1
        self._send_display(kind, whole, cut, metadata, size, frames)
        signals.check()

    def hold(self, text):
        """The value of a cell, of at most SHORT characters; False when it has to go the long way.

        Nothing is written here, so it need not be asked whose process this is: one that was forked in the cell never
        comes to `done`, with which the value goes.
        """
        held = self._hold(text)
        signals.check()
        return held

    @signals.unbroken
    def _hold(self, text):
        if not self._lock.acquire(False):
            return False  # another thread is displaying, or was when this process was forked
        try:
            if self._frames < 2 or self._room < HELD:
                return False
            body = b'{"t":"display","run":%s,"kind":"result","data":{"text/plain":%s}}' % (self._run, quote(text))
            self._frames -= 2
            self._room -= len(body)
            self._held += _length.pack(len(body)) + body
            self.value = text
            return True
        finally:
            self._lock.release()

    @signals.unbroken
    def _send_display(self, kind, whole, cut, metadata, size, frames):
        with self._lock:
            if self._frames < frames or self._room < size:
                if not self._refused:
                    self._refused = True
                    self._notice("display_limit", "The run displayed more than its limit (16 MiB or 10,000 frames); "
                                                  "what came after was dropped.")
                return
            self._frames -= frames
            self._room -= size
            parts = []
            for name, pieces in cut:
                self._part += 1
                for piece in pieces:
                    self._send(b'{"t":"part","run":%s,"id":%d,"data":%s}' % (self._run, self._part, piece))
                parts.append(b"%s:%d" % (name, self._part))
            body = b'{"t":"display","run":%s,"kind":%s,"data":{%s}' % (
                self._run, quote(kind), b",".join([b"%s:%s" % pair for pair in whole]))
            if metadata:
                body += b',"metadata":' + metadata
            if parts:
                body += b',"parts":{%s}' % b",".join(parts)
            body += b"}"
            if kind == "result" and len(body) < HELD:
                self._held += _length.pack(len(body)) + body
            else:
                self._send(body)

    @signals.unbroken
    def notice(self, code, message):
        with self._lock:
            if self._frames > 0:
                self._frames -= 1
                self._notice(code, message)

    def _notice(self, code, message):
        self._send(b'{"t":"notice","run":%s,"code":%s,"message":%s}' % (self._run, quote(code), quote(message)))

    @signals.unbroken
    def call(self, number, name, arguments):
        """A tool call; False when nobody hears it any more. It has bounds of its own (hostcalls.py)."""
        with self._lock:
            self._send(b'{"t":"host_call","run":%s,"call":%d,"name":%s,"arguments":%s}' % (
                self._run, number, quote(name), quote(arguments)))
            return self._fd >= 0

    def done(self, status, error=None, exit_code=None):
        body = b'{"t":"done","run":%s,"status":"%s"' % (self._run, status)
        if error is not None:
            body += b',"error":{"name":%s,"value":%s,"traceback":%s}' % tuple(map(quote, error))
        if exit_code is not None:
            body += b',"exit_code":%d' % exit_code
        with self._lock:
            self._send(body + b"}")
            self._drop()

    def _send(self, body):
        if self._fd < 0:
            return
        data = self._held + _length.pack(len(body)) + body
        self._held = b""
        try:
            sent = _write(self._fd, data)
            while sent < len(data):
                data = data[sent:]
                sent = _write(self._fd, data)
        except OSError:
            # EPIPE: the run was abandoned. EBADF: guest code closed the descriptor. Neither can be told to anyone.
            self._drop()

    def _drop(self):
        fd, self._fd = self._fd, -1
        if fd >= 0:
            try:
                _close(fd)
            except OSError:
                pass


def _value_length(pair):
    return len(pair[1])
