"""Loads a template's modules once, then forks a kernel into a cell for every request."""

import importlib
import importlib.metadata
import importlib.util
import json
import os
import select
import signal
import socket
import sys

import kernel
from isolation import enter, landlock, namespaces, seccomp, syscalls
from launcher import reaper, wire

_LINK, _OWN_PID_NAMESPACE = 3, 4
_METADATA_NAMES = {"PIL": "pillow", "yaml": "PyYAML", "sklearn": "scikit-learn", "docx": "python-docx"}


def main():
    options = json.loads(sys.argv[1])
    sys.argv = [""]
    link = wire.Link(socket.socket(fileno=_LINK))
    # Set for the libraries that are loaded here, not at exec: /proc/self/environ of the kernels stays empty.
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", HOME="/tmp", MPLCONFIGDIR="/tmp/cache", LANG="C.UTF-8")
    sys.path[:] = [p for p in sys.path if not p.startswith("/usr/local")]
    try:
        for module in options["preload"]:
            importlib.import_module(module)
        kernel.warm_up()
        _refuse_threads()
    except BaseException as error:
        link.send({"event": "failed", "message": f"{type(error).__name__}: {error}"})
        os._exit(1)
    link.send({"event": "ready", "python": sys.version.split()[0], "packages": _versions(options["packages"])})
    _Zygote(link, options).run()


def _refuse_threads():
    """A fork copies one thread; a lock that another one held at that moment would be held for ever in every cell."""
    with open("/proc/self/status", encoding="ascii") as file:
        threads = next(line for line in file if line.startswith("Threads:")).split()[1]
    if threads != "1":
        raise RuntimeError(f"the preloaded modules started threads ({threads} are running)")


def _versions(names):
    found = {}
    for name in names:
        if importlib.util.find_spec(name) is None:
            continue
        try:
            found[name] = importlib.metadata.version(_METADATA_NAMES.get(name, name))
        except importlib.metadata.PackageNotFoundError:
            found[name] = str(getattr(sys.modules.get(name), "__version__", "")) or "present"
    return found


class _Zygote:
    def __init__(self, link, options):
        self._link = link
        self._landlock_abi = options["landlock_abi"]
        self._filter = seccomp.Filter()
        self._entry = namespaces.Entry(_OWN_PID_NAMESPACE)
        self._children = reaper.Children()

    def run(self):
        read, write = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        poll = select.poll()
        poll.register(_LINK, select.POLLIN)
        poll.register(read, select.POLLIN)
        while True:
            ready = {descriptor for descriptor, _ in poll.poll()}
            if read in ready:
                os.read(read, 4096)
                self._children.reap()
            if _LINK in ready:
                self._serve()

    def _serve(self):
        received = self._link.receive()
        if received is None:
            os._exit(0)
        for message, descriptors in received:
            self._spawn(message, descriptors)

    def _spawn(self, message, descriptors):
        stem_pidfd, control, *join = descriptors
        gate = join.pop(0) if message["gated"] else None
        process = message["process"]
        try:
            pid = self._entry.fork(stem_pidfd)
        except OSError as error:
            wire.close_all(descriptors)
            self._link.send({"event": "spawned", "process": process, "message": str(error)})
            return
        if pid == 0:
            door = enter.Door(stem_pidfd, join, message["limits"], None, self._filter, self._landlock_abi)
            self._become_kernel(door, control, gate, self._children)
        wire.close_all(descriptors)
        pidfd = syscalls.pidfd_open(pid)
        self._children.add(pid, lambda code, number: self._link.send({"event": "exit", "process": process, "code": code, "signal": number}))
        self._link.send({"event": "spawned", "process": process, "pid": pid}, [pidfd])
        os.close(pidfd)

    @staticmethod
    def _become_kernel(door, control, gate, siblings):
        try:
            if gate is not None and os.read(gate, 1) != b"g":
                os._exit(70)  # the boundary could not be drawn
            enter.enter(door, [None, None, None, control], "/workspace")
            # So that /proc/self belongs to the sandbox's user: all that was inherited has been closed by now.
            syscalls.prctl(syscalls.PR_SET_DUMPABLE, 1)
            siblings.clear()
            os.set_inheritable(3, False)  # what guest code executes must not hold the kernel's link
            signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # as in any Python: writing to a closed pipe is an error and not the end
            kernel.main(3)
        except BaseException as error:
            os.write(2, f"kernel: {type(error).__name__}: {error}\n".encode(errors="replace"))
        finally:
            os._exit(70)
