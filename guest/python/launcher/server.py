"""The launcher's loop: requests from the engine, news from children, answers."""

import os
import selectors
import signal
import socket
import traceback

from isolation import namespaces, seccomp, stem

from . import births, cells, ends, reaper, requests, templates, wire
from .requests import Refused


class Launcher:
    def __init__(self, link, place, tree, ids, landlock_abi, groups):
        self.link = link
        self.place = place
        self.tree = tree
        self.ids = ids
        self.landlock_abi = landlock_abi
        self.filter = seccomp.Filter()
        self.stem_executable = stem.make_executable()
        self.own_pid_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        self.entry = namespaces.Entry(self.own_pid_namespace)
        self.selector = selectors.DefaultSelector()
        self.templates = {}
        self.cells = {}
        self.children = reaper.Children()
        self._groups = groups
        self._operations = {
            "template": templates.prepare, "cell": births.create, "kernel": cells.start_kernel, "command": cells.start_command,
            "terminal": cells.start_terminal, "files": cells.start_files, "limits": cells.set_limits, "signal": cells.send_signal, "destroy": ends.destroy}

    def run(self):
        wake = self._wake_on_child()
        self.selector.register(wake, selectors.EVENT_READ, lambda: self._reap(wake))
        self.selector.register(self.link.socket, selectors.EVENT_READ, self._serve_engine)
        try:
            while True:
                for key, _ in self.selector.select(self._patience()):
                    key.data()
                ends.go_on(self)
        except BaseException:
            # Something is wrong with this process itself: nothing it made may outlive it.
            traceback.print_exc()
            self._leave(1)

    def answer(self, request, descriptors=(), **fields):
        self._send({"id": request["id"], "ok": True, **fields}, descriptors)

    def refuse(self, request, code, message):
        self._send({"id": request["id"], "ok": False, "code": code, "message": message})

    def tell(self, **event):
        self._send(event)

    def _send(self, message, descriptors=()):
        try:
            self.link.send(message, descriptors)
        except OSError:
            pass  # the engine is gone; reading its end of the link says so, and then this process leaves

    def watch(self, source, callback):
        self.selector.register(source, selectors.EVENT_READ, callback)

    def forget(self, source):
        self.selector.unregister(source)

    def _patience(self):
        # What the kernel is still tearing down is looked at again soon; otherwise there is nothing to wait for.
        return 0.002 if any(c.removing or c.kills for c in self.cells.values()) else None

    @staticmethod
    def _wake_on_child():
        read, write = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        read.setblocking(False)
        write.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(write.fileno(), warn_on_full_buffer=False)
        Launcher._wake_writer = write  # kept open for as long as the process lives
        return read

    def _reap(self, wake):
        try:
            while wake.recv(4096):
                pass
        except BlockingIOError:
            pass
        self.children.reap()

    def _serve_engine(self):
        try:
            received = self.link.receive()
        except OSError:
            received = None  # it died with answers unread
        if received is None:
            self._leave()
        for message, descriptors in received:
            self.serve(message, descriptors)

    def serve(self, message, descriptors):
        try:
            operation = self._operations.get(message.get("op"))
            if operation is None:
                raise Refused("bad_request", f"op is {message.get('op')!r}, which is none of {', '.join(self._operations)}")
            operation(self, message, descriptors)
        except Refused as error:
            wire.close_all(descriptors)
            self.refuse(message, error.code, str(error))
        except OSError as error:
            wire.close_all(descriptors)
            self.refuse(message, "host_error", str(error))

    def _leave(self, status=0):
        """The engine is gone: so is everything it asked for."""
        for cell in self.cells.values():
            cell.kill()
        for template in self.templates.values():
            template.stop()
        ends.remove_groups(self, self._groups)
        os._exit(status)
