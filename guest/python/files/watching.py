"""Telling of changes in a folder, by inotify: this worker has the guest's rights and only ever watches the guest's own folders.

What a guest can cost is bounded: so many watched folders, so many changes told at a time and one round of them in a tenth of a second; what
goes beyond is told as one `overflow`.
"""

import ctypes
import os
import select
import struct
import time

from . import names
from .failures import Failure
from .link import encode
from .tree import Descriptor
from .uploads import is_temporary

MAX_FOLDERS = 1000
MAX_CHANGES = 1000
MAX_LOOKED = 20_000
MAX_PATH = 4096
PAUSE = 0.1
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

MODIFY, ATTRIB, MOVED_FROM, MOVED_TO, CREATE, DELETE, DELETE_SELF, MOVE_SELF = 2, 4, 0x40, 0x80, 0x100, 0x200, 0x400, 0x800
UNMOUNT, OVERFLOW, IGNORED, IS_FOLDER = 0x2000, 0x4000, 0x8000, 0x40000000
WANTED = MODIFY | ATTRIB | MOVED_FROM | MOVED_TO | CREATE | DELETE | DELETE_SELF | MOVE_SELF | 0x01000000 | 0x04000000  # ONLYDIR, EXCL_UNLINK
KINDS = ((CREATE | MOVED_TO, "created"), (DELETE | MOVED_FROM, "removed"), (MODIFY | ATTRIB, "modified"))
NEWS = struct.Struct("iIII")

_libc = ctypes.CDLL(None, use_errno=True)


class Watch:
    def __init__(self, folder, path, recursive):
        self._folder = folder
        self._top = path
        self._recursive = recursive
        self._paths = {}        # watch -> path of its folder
        self._changes = []      # (kind, path) in the order they came
        self._last = {}         # path -> its last kind among them
        self._overflown = False
        self._looked = 0
        self._inotify = _libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        if self._inotify < 0:
            raise Failure("too_many_watches", "the host has no watch left for %s (fs.inotify.max_user_instances); end others first" % names.encode(path))

    def run(self, stream):
        try:
            self._root = self._add(self._folder, self._top)
            if self._root is None:
                raise Failure("too_many_watches", "the host has no watch left for %s (fs.inotify.max_user_watches); end others first" % names.encode(self._top))
            if self._recursive:
                self._descend(self._top, tell=False)
            self._send(stream, [("started", self._top)])
            if self._overflown:
                self._tell(stream)
            while self._wait(stream) and self._gather():
                self._tell(stream)
                time.sleep(PAUSE)
            self._tell(stream)
            return {}
        finally:
            os.close(self._inotify)

    def _wait(self, stream):
        """Until there is news, or the folder is gone; False when nobody listens any more."""
        ready = select.poll()
        ready.register(self._inotify, select.POLLIN)
        ready.register(stream.socket, select.POLLIN | select.POLLHUP)  # nothing is ever said to us: whatever comes is the end
        while True:
            found = ready.poll(1000)
            if found:
                return all(descriptor != stream.socket.fileno() for descriptor, _ in found)
            if self._is_gone():
                return True

    def _is_gone(self):
        """While we hold the folder open, no news says that it was removed."""
        return os.fstat(self._folder).st_nlink == 0

    def _gather(self):
        """Reads what is there; False when the folder itself is gone."""
        self._looked = 0
        alive = not self._is_gone()
        while True:
            try:
                news = os.read(self._inotify, 1 << 16)
            except BlockingIOError:
                break
            at = 0
            while at < len(news):
                watch, mask, _, length = NEWS.unpack_from(news, at)
                name = news[at + NEWS.size:at + NEWS.size + length].rstrip(b"\0")
                at += NEWS.size + length
                alive = self._take(watch, mask, name) and alive
            if self._overflown and len(self._changes) >= MAX_CHANGES:
                break  # the rest is read after the pause; what cannot be held, the kernel drops and says so
        if self._overflown and alive and self._recursive:
            self._again()
        return alive

    def _take(self, watch, mask, name):
        if mask & OVERFLOW:
            self._overflown = True
            return True
        if watch == self._root and mask & (DELETE_SELF | MOVE_SELF | UNMOUNT | IGNORED):
            return False
        if mask & IGNORED:
            self._paths.pop(watch, None)
            return True
        folder = self._paths.get(watch)
        if folder is None or not name or is_temporary(name):
            return True  # a file that is being uploaded is news when it stands under its own name
        path = folder + b"/" + name
        kind = next((kind for bits, kind in KINDS if mask & bits), None)
        if kind:
            self._note(kind, path)
        if self._recursive and mask & IS_FOLDER:
            if mask & MOVED_FROM:
                self._drop(path)
            elif mask & (CREATE | MOVED_TO):
                self._descend(path, tell=True)  # what is in it came before it was watched
        return True

    def _note(self, kind, path):
        last = self._last.get(path)
        if kind == last or kind == "modified" and last == "created":
            return
        if len(self._changes) >= MAX_CHANGES:
            self._overflown = True
            return
        self._changes.append((kind, path))
        self._last[path] = kind

    def _open(self, path):
        """A folder beneath the watched one, opened name by name and never through a link."""
        current = os.dup(self._folder)
        for name in filter(None, path[len(self._top) + 1:].split(b"/")):
            try:
                below = os.open(name, FOLDER, dir_fd=current)
            finally:
                os.close(current)
            current = below
        return current

    def _descend(self, top, tell):
        """Watches a folder and all beneath it, one after the other, so that any depth takes one descriptor."""
        left = [top]
        while left:
            path = left.pop()
            try:
                with Descriptor(self._open(path)) as fd:
                    if self._add(fd, path) is None:
                        return
                    left.extend(self._look(fd, path, tell))
            except OSError:
                continue  # gone again, or not ours to read

    def _look(self, folder, path, tell):
        """The folders in a folder."""
        below = []
        with os.scandir(folder) as found:
            for entry in found:
                self._looked += 1
                if self._looked > MAX_LOOKED:
                    self._overflown = True
                    break
                name = path + b"/" + os.fsencode(entry.name)
                if tell and not is_temporary(os.fsencode(entry.name)):
                    self._note("created", name)
                if len(name) <= MAX_PATH and entry.is_dir(follow_symlinks=False):
                    below.append(name)
        return below

    def _again(self):
        """Some news was lost: there may be folders nobody watches, and watches of what is no longer there by that name."""
        for watch in [watch for watch in self._paths if watch != self._root]:
            _libc.inotify_rm_watch(self._inotify, watch)
        self._paths = {self._root: self._top}
        self._looked = 0
        self._descend(self._top, tell=False)

    def _add(self, folder, path):
        if len(self._paths) > MAX_FOLDERS:
            self._overflown = True
            return None
        os.fchdir(folder)  # by descriptor: a path could have come to name something else
        watch = _libc.inotify_add_watch(self._inotify, b".", WANTED)
        if watch < 0:
            self._overflown = True
            return None
        self._paths[watch] = path
        return watch

    def _drop(self, path):
        for watch, known in list(self._paths.items()):
            if known == path or known.startswith(path + b"/"):
                _libc.inotify_rm_watch(self._inotify, watch)
                del self._paths[watch]

    def _tell(self, stream):
        changes = [*self._changes, ("overflow", self._top)] if self._overflown else self._changes
        self._changes, self._last, self._overflown = [], {}, False
        self._send(stream, changes)

    @staticmethod
    def _send(stream, changes):
        if changes:
            stream.write(b"".join(encode({"kind": kind, "path": names.encode(path)}) + b"\n" for kind, path in changes))

