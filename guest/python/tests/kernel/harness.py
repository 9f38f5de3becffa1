"""Forks a kernel as the zygote would and speaks the guest protocol with it as the engine would."""
import fcntl
import json
import os
import secrets
import select
import shutil
import signal
import socket
import struct
import sys
import tempfile
import termios
import time
import unittest

import kernel

MAX_FRAME = 1 << 20
PATIENCE = 120  # seconds; met only by what hangs
REPEAT = 0.25
DONE = {"ok", "error", "interrupted", "exit"}
_warm = False


def preload():
    """What a template's zygote preloads, as far as this machine has it; then the warm-up, once."""
    global _warm
    if _warm:
        return
    _warm = True
    for name in ("numpy", "pandas", "matplotlib.pyplot"):
        try:
            __import__(name)
        except ImportError:
            pass
    kernel.warm_up()


class Lost(Exception):
    """The kernel is gone, or what it sent is not the protocol."""


class Run:
    """Everything one run sent."""

    def __init__(self, nonce):
        self.nonce, self.stdout, self.stderr = nonce, bytearray(), bytearray()
        self.displays, self.notices, self.done, self.raw = [], [], None, bytearray()
        self._parts = {}
        self.frames = 0
        self.calls, self.unheard = [], 0

    out = property(lambda self: self.stdout.decode("utf-8", "replace"))
    err = property(lambda self: self.stderr.decode("utf-8", "replace"))
    status = property(lambda self: self.done["status"])
    error = property(lambda self: self.done.get("error"))
    trace = property(lambda self: self.done["error"]["traceback"])

    @property
    def result(self):
        """The MIME bundle of the last expression."""
        found = [display["data"] for display in self.displays if display["kind"] == "result"]
        return found[-1] if found else None

    text = property(lambda self: None if self.result is None else self.result["text/plain"])

    def say(self, message):
        """On the host pipe. A kernel that ended its run no longer listens."""
        self.say_raw(json.dumps(message, ensure_ascii=False).encode())

    def say_raw(self, body):
        try:
            os.write(self.host, struct.pack(">I", len(body)) + body)
        except BrokenPipeError:
            pass

    def answer(self, call, **answer):
        self.say(dict({"t": "host_answer", "run": self.nonce, "call": call}, **answer))

    def feed(self, data):
        self.raw += data
        while len(self.raw) >= 4:
            size = struct.unpack_from(">I", self.raw)[0]
            if not 1 <= size <= MAX_FRAME:
                raise Lost("frame length %d" % size)
            if len(self.raw) < 4 + size:
                return
            body, self.raw[:4 + size] = self.raw[4:4 + size], b""
            self.frames += 1
            self._frame(json.loads(body.decode("utf-8")))

    def _frame(self, frame):
        if frame["run"] != self.nonce or self.done is not None:
            raise Lost("frame of another run, or after done")
        kind = frame["t"]
        if kind == "part":
            self._parts.setdefault(frame["id"], []).append(frame["data"])
        elif kind == "display":
            for mime, part in frame.pop("parts", {}).items():
                frame["data"][mime] = "".join(self._parts.pop(part))
            if not all(isinstance(value, str) for value in frame["data"].values()):
                raise Lost("display data that is not text")
            self.displays.append(frame)
        elif kind == "notice":
            self.notices.append(frame)
        elif kind == "host_call":
            self.calls.append(frame)
        elif kind == "done":
            if frame["status"] not in DONE:
                raise Lost("status " + frame["status"])
            self.done = frame
        else:
            raise Lost("frame type " + kind)


class Kernel:
    def __init__(self, configure=True, env=None, soft_memory=None, seed="00" * 32, before_main=None):
        preload()
        self.home = tempfile.mkdtemp(prefix="kernel-test-")
        self.work = os.path.join(self.home, "work")
        os.mkdir(self.work)
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                fd = os.dup(theirs.fileno())
                for old in (ours, theirs):
                    old.close()
                os.dup2(fd, 3, inheritable=False)
                os.closerange(4, 256)
                if before_main is not None:
                    before_main()
                kernel.main(3)
            finally:
                os._exit(99)
        theirs.close()
        self.control = ours
        self.control.settimeout(PATIENCE)
        header = self._exactly(4)
        self.hello = json.loads(self._exactly(struct.unpack(">I", header)[0]))
        if configure:
            variables = {"HOME": self.home, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"}
            variables.update(env or {})
            self.send({"t": "configure", "env": variables, "cwd": self.work, "soft_memory_bytes": soft_memory,
                       "seed": seed, "rehearse": True})

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            piece = self.control.recv(size - len(data))
            if not piece:
                raise Lost("the kernel hung up")
            data += piece
        return data

    def send(self, message, fds=()):
        body = json.dumps(message, ensure_ascii=False).encode()
        data = struct.pack(">I", len(body)) + body
        sent = socket.send_fds(self.control, [data], list(fds))
        if sent < len(data):
            self.control.sendall(data[sent:])

    def start(self, code, tools=None, max_calls=100, said="", **more):
        """Sends a run; returns it and the reading ends of its pipes, once it has said something. With tools `run.host` is the pipe they are answered on."""
        run = Run(secrets.token_hex(16))
        pipes = [os.pipe() for _ in range(3)]
        message, sent = {"t": "execute", "run": run.nonce, "code": code, **more}, [write for _, write in pipes]
        if tools is not None:
            host, run.host = os.pipe2(os.O_NONBLOCK)
            os.set_blocking(run.host, True)
            message["host"] = True
            sent.append(host)
        self.send(message, sent)
        for end in sent:
            os.close(end)
        if tools is not None:
            run.say({"t": "host_tools", "run": run.nonce, "max_calls": max_calls, "tools": tools})
        ends = [read for read, _ in pipes]
        while said not in run.out:
            self._read(run, ends, ends[0])
        return run, ends

    def run(self, code, interrupt=None, watch=None, repeat=REPEAT):
        """Runs code to its `done`. `interrupt`: what it prints before it is interrupted, again and again; `watch(run, kernel)`: per read."""
        run, ends = self.start(code)
        try:
            return self.collect(run, ends, interrupt, watch, repeat)
        finally:
            for end in ends:
                os.close(end)

    def collect(self, run, ends, interrupt=None, watch=None, repeat=REPEAT):
        begun, alive, due = time.monotonic(), list(ends), None
        while run.done is None:
            now = time.monotonic()
            if now - begun > PATIENCE:
                raise Lost("no done after %.1f s; stdout %r" % (now - begun, run.stdout[-200:]))
            if interrupt is not None and interrupt in run.out and (due is None or now >= due):
                # Again, since one may come between the interpreter's last look and the system call it blocks in.
                os.kill(self.pid, signal.SIGINT)
                due = now + repeat
            for end in select.select(alive, [], [], PATIENCE if due is None else max(0.0, due - now))[0]:
                if not self._read(run, ends, end):
                    alive.remove(end)
                    if end == ends[2] and run.done is None:
                        raise Lost("the result pipe closed without done")
            if watch is not None:
                watch(run, self)
        # The streams were flushed before done: what is in the pipes now is all there is.
        for end in ends[:2]:
            while end in alive and select.select([end], [], [], 0)[0] and self._read(run, ends, end):
                pass
        return run

    @staticmethod
    def _read(run, ends, end):
        data = os.read(end, 1 << 16)
        if end == ends[0]:
            run.stdout += data
        elif end == ends[1]:
            run.stderr += data
        else:
            run.feed(data)
        return bool(data)

    def until_idle(self):
        """Waits until it has done all that it was sent and waits for more: in recvmsg on its link, with nothing unread."""
        while True:
            unread = fcntl.ioctl(self.control.fileno(), termios.TIOCOUTQ, b"\0" * 4)
            with open(f"/proc/{self.pid}/syscall", encoding="ascii") as file:
                call = file.read().split()
            if unread == b"\0" * 4 and call[:2] == ["47", "0x3"]:
                return
            time.sleep(0.001)

    def interrupt(self):
        os.kill(self.pid, signal.SIGINT)

    def wait(self):
        """The exit status, once the kernel has ended by itself; None when it has not."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.pid = 0
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.005)
        return None

    def close(self):
        self.control.close()
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = 0
        shutil.rmtree(self.home, ignore_errors=True)


class KernelTest(unittest.TestCase):
    """A test with one kernel; keyword arguments for it in `options`."""
    options = {}

    def setUp(self):
        self.kernel = Kernel(**self.options)
        self.addCleanup(self.kernel.close)

    def run_ok(self, code, **kwargs):
        run = self.kernel.run(code, **kwargs)
        self.assertEqual("ok", run.status, run.error and run.trace)
        return run

    def value(self, code):
        return self.run_ok(code).text

    def alive(self):
        self.assertEqual("2", self.value("1+1"))
