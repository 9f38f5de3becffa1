"""Templates on the launcher's side: the read-only root of their cells, and the zygote that holds their modules."""

import json
import os
import socket
import subprocess

from isolation import etc, mounts, namespaces, syscalls

from . import requests, wire
from .requests import Refused


class Template:
    def __init__(self, name, system_root, masks):
        self.name = name
        self.system_root = system_root
        self.masks = masks
        self.zygote = None
        self.languages = None       # found when the first zygote is ready

    def stop(self):
        if self.zygote:
            self.zygote.kill()


class Zygote:
    """A warm interpreter. Spawn requests are passed on to it; its answers and its children's ends are passed back."""

    def __init__(self, launcher, template, pid, link, request):
        self._launcher = launcher
        self.template = template
        self.pid = pid
        self.link = link
        self.request = request      # the engine's request, answered when the modules are loaded
        self.pending = {}           # process -> (what to tell of it, cell, leaf)
        self.running = {}           # process -> cell
        self.retired = False
        launcher.watch(link.socket, self._receive)
        launcher.children.add(pid, self._ended)

    def spawn(self, cell, process, control, gate, on_spawned):
        """Has a kernel forked into the cell. `on_spawned(error)` is called once, with None when it went well.

        With a gate (a pipe's reading end) the kernel waits there for one byte before it enters: the cell may still be being built.
        """
        leaf, join = cell.new_leaf()
        self.pending[process] = (on_spawned, cell, leaf)
        gates = [gate] if gate is not None else []
        try:
            message = {"op": "spawn", "process": process, "limits": cell.limits, "gated": bool(gates)}
            self.link.send(message, [cell.stem_pidfd, control, *gates, *join])
        except OSError as error:
            del self.pending[process]
            self._let_go()
            raise Refused("zygote_gone", f"the zygote of template {self.template.name} ended: {error}") from error
        finally:
            wire.close_all(join)

    def retire(self):
        """No more children: it stays only to see its last ones end."""
        self.retired = True
        if not self.running and not self.pending:
            self.kill()

    def kill(self):
        try:
            os.kill(self.pid, 9)
        except ProcessLookupError:
            pass

    def _receive(self):
        try:
            received = self.link.receive()
        except (ValueError, OSError):
            received = None
        if received is None:
            self._launcher.forget(self.link.socket)
            self.link.socket.close()
            return
        for message, descriptors in received:
            getattr(self, "_on_" + message["event"])(message, descriptors)

    def _on_ready(self, message, _):
        request, self.request = self.request, None
        old, self.template.zygote = self.template.zygote, self
        if old:
            old.retire()
        if self.template.languages is None:
            self.template.languages = _languages(self.template.system_root)
        self._launcher.answer(request, packages=message["packages"], python=message["python"], languages=self.template.languages)

    def _on_failed(self, message, _):
        request, self.request = self.request, None
        self._launcher.refuse(request, "template_failed", message["message"])

    def _on_spawned(self, message, descriptors):
        process = message["process"]
        on_spawned, cell, leaf = self.pending.pop(process)
        if "pid" in message:
            self.running[process] = cell
            cell.started(process, message["pid"], descriptors[0], leaf)
            on_spawned(None)
        else:
            on_spawned(Refused("host_error", message["message"]))

    def _on_exit(self, message, _):
        cell = self.running.pop(message["process"], None)
        if cell:
            cell.ended(message["process"], message["code"], message["signal"])
        if self.retired and not self.running and not self.pending:
            self.kill()

    def _ended(self, code, number):
        """The zygote itself is gone. Its cells live on, but nobody sees any more how their kernels end."""
        self._let_go()  # said first: who is refused below may ask for a new one at once
        for on_spawned, _, _ in self.pending.values():
            on_spawned(Refused("zygote_gone", f"the zygote of template {self.template.name} ended while it made a kernel"))
        if self.request:
            self._launcher.refuse(self.request, "template_failed", f"the zygote ended while it loaded modules (exit code {code}, signal {number})")
        for process, cell in self.running.items():
            cell.unseen(process)
        self.pending, self.running, self.request = {}, {}, None

    def _let_go(self):
        if self.template.zygote is self:
            self.template.zygote = None
            self._launcher.tell(event="zygote_gone", template=self.template.name)


def prepare(launcher, request, descriptors):
    """Loads a template, or loads it anew: the zygote that was there retires when the new one is ready."""
    requests.descriptors(descriptors, 0)
    name = requests.name(request, "template")
    preload = requests.strings(request, "preload")
    packages = requests.strings(request, "packages")
    memory = requests.number(request, "memory_bytes", 1 << 20, 1 << 50)
    files = requests.environment(request, "files")
    template = launcher.templates.get(name) or _make(launcher, name, memory, files, bool(request.get("own_root")))
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    pid = os.fork()
    if pid == 0:
        _become_zygote(launcher, template, theirs, preload, packages)
    theirs.close()
    Zygote(launcher, template, pid, wire.Link(ours), request)


def _make(launcher, name, memory, files, own_root):
    place = launcher.place
    base = f"{place.templates}/{name}"
    root, masks, tree = f"{base}/root", f"{base}/masks", f"{base}/files"
    source = f"{place.roots}/{name}"
    if own_root and not os.path.isdir(f"{source}/usr"):
        raise Refused("template_failed", f"template {name} has a root of its own that was not there when the launcher started: build it, then restart the engine")
    for directory in (root, masks, tree):
        os.makedirs(directory, exist_ok=True)
    etc_directory = place.etc
    if own_root:
        etc_directory = f"{base}/etc"
        os.makedirs(etc_directory)
        etc.synthesise(etc_directory, f"{source}/etc")
    extras = {"/opt/cove": place.guest}
    for path, content in files.items():
        _place_file(tree, path, content)
    if files:
        extras["/opt/template"] = tree
    mounts.make_masks(masks, etc.mask_texts(memory))
    mounts.make_system_root(root, f"{source}/usr" if own_root else "/usr", etc_directory, extras)
    launcher.templates[name] = Template(name, root, masks)
    return launcher.templates[name]


def _place_file(tree, path, content):
    parts = path.split("/")
    if any(p in ("", ".", "..") for p in parts):
        raise Refused("bad_request", f"files names {path!r}; a path is relative, without empty parts, . and ..")
    target = f"{tree}/{path}"
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target, "w", encoding="utf-8") as file:
        file.write(content)


def _become_zygote(launcher, template, link, preload, packages):
    try:
        own = os.dup(launcher.own_pid_namespace)
        syscalls.unshare(namespaces.NEWNS)
        root = launcher.place.staging + "/root"
        mounts.bind(template.system_root, root)
        syscalls.mount("proc", root + "/proc", "proc", mounts.NOSUID | mounts.NODEV | mounts.NOEXEC)
        mounts.tmpfs(root + "/tmp", "mode=700,size=64m")
        os.mkdir(root + "/tmp/cache")
        mounts.bind(launcher.place.cache, root + "/tmp/cache")
        mounts.pivot_into(root)
        os.dup2(link.fileno(), 3)
        os.dup2(own, 4)
        syscalls.close_from(5)
        import signal
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        options = json.dumps({"preload": preload, "packages": packages, "landlock_abi": launcher.landlock_abi})
        code = "import sys; sys.path.insert(0, '/opt/cove/python'); import zygote.main; zygote.main.main()"
        # An empty environment: it is what /proc/self/environ of every kernel forked from here will show.
        # Its whole path as its name: without PATH it could not tell sys.executable, which subprocess and multiprocessing start.
        os.execve("/usr/bin/python3", ["/usr/bin/python3", "-I", "-B", "-c", code, options], {})
    except BaseException as error:
        os.write(2, f"zygote of {template.name}: {error}\n".encode())
        os._exit(70)


def _languages(system_root):
    """The interpreters of a root besides Python, by their own word."""
    found = {}
    for language, program, arguments in (("bash", "bash", ["-c", "echo $BASH_VERSION"]), ("javascript", "node", ["--version"])):
        if os.access(f"{system_root}/usr/bin/{program}", os.X_OK):
            try:
                result = subprocess.run(
                    [f"/usr/bin/{program}", *arguments], env={}, stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False,
                    preexec_fn=lambda: os.chroot(system_root))
            except (OSError, subprocess.SubprocessError):
                continue  # an interpreter that cannot even say its version is none
            if result.returncode == 0:
                found[language] = result.stdout.decode(errors="replace").strip().lstrip("v")[:40]
    return found
