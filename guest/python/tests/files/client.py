"""The engine's side of the file worker's link, and a tree like a sandbox's."""

import array
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

PYTHON = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
# A sandbox has a tmpfs; on some disks a single rmdir takes milliseconds.
FAST = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
FOLDERS = ("workspace", "tmp", "home/user", "dev/shm")


class Tree:
    """A folder laid out as a sandbox sees it; on a tmpfs of its own where a size is given (root only)."""

    def __init__(self, size=None):
        self.outer = tempfile.mkdtemp(prefix="cove-files-", dir=FAST)
        self.path = os.path.join(self.outer, "root")
        os.mkdir(self.path)
        self.mounted = False
        if size is not None:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%d,nr_inodes=400" % size, "cove", self.path], check=True)
            self.mounted = True
        for folder in FOLDERS:
            os.makedirs(os.path.join(self.path, folder))
        # Beside the tree, where nothing may ever be read, written or removed.
        self.decoys = [os.path.join(self.outer, name) for name in ("secret", "etc/passwd", "tmp/secret")]
        for decoy in self.decoys:
            os.makedirs(os.path.dirname(decoy), exist_ok=True)
            with open(decoy, "w") as file:
                file.write("OUTSIDE")

    def at(self, *parts):
        return os.path.join(self.path, *parts)

    def write(self, name, text="inside"):
        with open(self.at(name), "w") as file:
            file.write(text)

    def close(self):
        if self.mounted:
            subprocess.run(["umount", "-l", self.path], check=True)
        # shutil recurses by the call stack; rm does not.
        subprocess.run(["rm", "-rf", self.outer], check=True)
        shutil.rmtree(self.outer, ignore_errors=True)


class Worker:
    def __init__(self, tree):
        ours, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                ours.close()
                root = os.open(tree.path, os.O_RDONLY | os.O_DIRECTORY)
                sys.path.insert(0, PYTHON)
                import files
                import files.hardening, files.worker

                if os.geteuid() == 0:
                    # A worker with a fault must not reach this machine's files: outside the tree it finds the decoys.
                    os.chroot(tree.outer)
                    os.chdir("/")
                files.main(theirs.detach(), root)
            finally:
                os._exit(99)
        theirs.close()
        self.socket = ours
        self.socket.settimeout(120)
        self._id = 0
        self._buffer = b""
        self._descriptors = []

    def send_raw(self, data):
        self.socket.sendall(data)

    def send(self, message):
        body = json.dumps(message).encode()
        self.send_raw(len(body).to_bytes(4, "big") + body)

    def _take(self, size):
        while len(self._buffer) < size:
            data, ancillary, _, _ = self.socket.recvmsg(1 << 16, socket.CMSG_SPACE(64))
            if not data:
                raise AssertionError("the worker has ended")
            self._buffer += data
            for _, _, payload in ancillary:
                self._descriptors.extend(array.array("i", payload))
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def receive(self):
        length = int.from_bytes(self._take(4), "big")
        assert 1 <= length <= 1 << 20, length
        return json.loads(self._take(length))

    def call(self, op, **fields):
        """One request and its answer; the descriptor is in `fd`."""
        self._id += 1
        self.send({"t": "file", "id": self._id, "op": op, **fields})
        answer = self.receive()
        assert answer["id"] == self._id, answer
        answer["fd"] = self._descriptors.pop(0) if self._descriptors else None
        return answer

    def read(self, path):
        """The content, or the code of the refusal."""
        answer = self.call("read", path=path)
        if not answer["ok"]:
            return answer["code"]
        with os.fdopen(answer["fd"], "rb") as file:
            return file.read(1 << 20)

    def put(self, path, data=b"new", **fields):
        """Write and commit; the answer of the last step."""
        answer = self.call("write", path=path, **fields)
        if not answer["ok"]:
            return answer
        with os.fdopen(answer["fd"], "wb") as file:
            file.write(data)
        return self.call("commit", token=answer["token"])

    def code(self, op, **fields):
        """The code of a refusal, or "ok"."""
        answer = self.call(op, **fields)
        if answer["fd"] is not None:
            os.close(answer["fd"])
        return "ok" if answer["ok"] else answer["code"]

    def list(self, path, **fields):
        """Every entry of every page, and the last page."""
        answer = self.call("list", path=path, **fields)
        assert answer["ok"], answer
        entries = answer["entries"]
        while answer["more"]:
            answer = self.receive()
            entries += answer["entries"]
        return entries, answer

    def close(self):
        """Hang up; the worker must go by itself."""
        self.socket.close()
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                assert status == 0, "the worker ended with %d" % status
                return
            time.sleep(0.005)
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        raise AssertionError("the worker outlived its link")
