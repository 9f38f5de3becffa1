"""The engine's side of the guest protocol, as small as a test needs it."""

import array
import json
import os
import secrets
import select
import signal
import socket
import sys
import time

GUEST = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
PYTHON = os.path.join(GUEST, "python")
PATIENCE = 120  # seconds; met only by what hangs


class Outcome:
    def __init__(self, stdout, stderr, frames):
        self.stdout, self.stderr, self.frames = stdout, stderr, frames
        self.done = frames[-1] if frames and frames[-1]["t"] == "done" else None

    @property
    def status(self):
        return self.done and self.done["status"]

    @property
    def text(self):
        return self.stdout.decode()

    def of(self, kind):
        return [frame for frame in self.frames if frame["t"] == kind]

    @property
    def result(self):
        values = [frame["data"] for frame in self.of("display") if frame["kind"] == "result"]
        return values[0] if values else None

    def __repr__(self):
        return "stdout=%r stderr=%r frames=%r" % (self.stdout[-2000:], self.stderr[-4000:], self.frames)


class Running:
    """A run that has been sent and not yet awaited."""

    def __init__(self, kernel, code, **more):
        self.nonce = secrets.token_hex(16)
        pipes = [os.pipe() for _ in range(3)]
        self.readers = [reader for reader, _ in pipes]
        kernel.send({"t": "execute", "run": self.nonce, "code": code, **more}, [writer for _, writer in pipes])
        for _, writer in pipes:
            os.close(writer)
        self.data = [bytearray() for _ in pipes]

    def close_output(self):
        for index in (0, 1):
            os.close(self.readers[index])
            self.readers[index] = None

    def read(self, seconds):
        """Read for a while; True once every pipe is at its end."""
        deadline = time.monotonic() + seconds
        while open_ends := [fd for fd in self.readers if fd is not None]:
            left = deadline - time.monotonic()
            ready = select.select(open_ends, [], [], max(0, left))[0]
            if not ready:
                return False
            for fd in ready:
                index = self.readers.index(fd)
                data = os.read(fd, 1 << 16)
                self.data[index] += data
                if not data:
                    os.close(fd)
                    self.readers[index] = None
        return True

    def outcome(self):
        finished = self.read(PATIENCE)
        frames, buffer = [], self.data[2]
        while len(buffer) >= 4:
            length = int.from_bytes(buffer[:4], "big")
            frames.append(json.loads(bytes(buffer[4 : 4 + length])))
            del buffer[: 4 + length]
        for fd in self.readers:
            if fd is not None:
                os.close(fd)
        self.readers = [None] * 3
        outcome = Outcome(bytes(self.data[0]), bytes(self.data[1]), frames)
        if not finished:
            raise AssertionError("the run did not end: %r" % outcome)
        if any(frame["run"] != self.nonce for frame in frames):
            raise AssertionError("a frame of another run: %r" % outcome)
        return outcome


class Kernel:
    def __init__(self, language, configure=True, folder=None, **settings):
        ours, theirs = socket.socketpair()
        self.folder = folder or os.path.join(GUEST, language)
        self.pid = os.fork()
        if self.pid == 0:
            try:
                # A shell's background jobs start with SIGINT ignored; a kernel never does.
                signal.signal(signal.SIGINT, signal.SIG_DFL)
                ours.close()
                null = os.open("/dev/null", os.O_RDWR)
                for fd in (0, 1):
                    os.dup2(null, fd)
                fd = os.dup2(theirs.fileno(), 3)
                os.closerange(4, 256)
                sys.path.insert(0, PYTHON)
                import shim

                shim.main(fd, language, self.folder)
            finally:
                os._exit(99)
        theirs.close()
        self.socket = ours
        self.socket.settimeout(PATIENCE)
        self.hello = self._frame()
        if configure:
            self.configure(**settings)

    def configure(self, cwd="/tmp", soft_memory_bytes=None, **env):
        env = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8", **env}
        self.send({"t": "configure", "env": env, "cwd": cwd, "soft_memory_bytes": soft_memory_bytes, "seed": "00" * 32})

    def _frame(self):
        head = self.socket.recv(4, socket.MSG_WAITALL)
        return json.loads(self.socket.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL))

    def send(self, message, descriptors=()):
        body = json.dumps(message).encode()
        frame = len(body).to_bytes(4, "big") + body
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))] if descriptors else []
        sent = self.socket.sendmsg([frame], rights)
        self.socket.sendall(frame[sent:])

    def start(self, code, **more):
        return Running(self, code, **more)

    def run(self, code):
        return self.start(code).outcome()

    def interrupt(self):
        os.kill(self.pid, signal.SIGINT)

    def close(self):
        """Hang up; the kernel must go by itself."""
        self.socket.close()
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if os.waitpid(self.pid, os.WNOHANG)[0]:
                return
            time.sleep(0.005)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        raise AssertionError("the kernel outlived its link")
