"""The worker's loop: one request after the other, an answer to each, whatever it asks for."""

import os

from . import failures, link, listing, names, removal
from .failures import Failure
from .errand import Errand
from .packing import Packer
from .syscalls import rename
from .tree import Descriptor, Tree, describe, regular
from .unpacking import Unpacker
from .uploads import Uploads
from .watching import Watch

# Room for the fields around a page of entries.
PAGE = link.MAX_FRAME - 1024
MAX_SHOWN = 1000


class Worker:
    def __init__(self, link_fd, root_fd):
        os.set_inheritable(link_fd, False)
        os.set_inheritable(root_fd, False)
        self._link = link.Link(link_fd)
        self._tree = Tree(root_fd)
        self._uploads = Uploads(self._tree)
        self._errand = Errand()
        self._operations = {
            "read": self._read, "write": self._write, "commit": self._commit, "abort": self._abort, "stat": self._stat,
            "list": self._list, "mkdir": self._mkdir, "remove": self._remove, "move": self._move, "usage": self._usage,
            "pack": self._pack, "unpack": self._unpack, "watch": self._watch, "end": self._end,
        }

    def serve(self):
        try:
            while True:
                self._turn()
        except (EOFError, ConnectionError):
            pass
        finally:
            self._uploads.clear()

    def _turn(self):
        try:
            request = self._link.receive()
        except link.BadFrame as error:
            self._refuse(None, Failure("bad_request", str(error)))
            return
        if request.get("t") != "file":
            return  # Something of a later generation: not for us.
        id = request.get("id")
        if not isinstance(id, int) or isinstance(id, bool):
            self._refuse(None, Failure("bad_request", "a request has an integer id"))
            return
        try:
            operation = self._operations.get(request.get("op") if isinstance(request.get("op"), str) else None)
            if operation is None:
                raise Failure("bad_request", "op is one of %s" % ", ".join(self._operations))
            operation(id, request)
        except ConnectionError:
            raise
        except Failure as failure:
            self._refuse(id, failure)
        except OSError as error:
            path = request.get("path", request.get("from"))
            self._refuse(id, failures.from_errno(error, path if isinstance(path, str) else "the file"))
        except Exception as error:  # The tree is hostile and requests are data: neither may end the worker.
            self._refuse(id, Failure("io_error", "the request failed: %s" % type(error).__name__))

    def _answer(self, id, fields=None, descriptor=None):
        self._link.send({"t": "file", "id": id, "ok": True, **(fields or {})}, descriptor)

    def _refuse(self, id, failure):
        # A path may hold half a surrogate pair, which no answer can carry.
        message = str(failure).encode("utf-8", "replace").decode()
        if len(message) > MAX_SHOWN:
            message = message[: MAX_SHOWN // 2] + "…" + message[-MAX_SHOWN // 2 :]
        self._link.send({"t": "file", "id": id, "ok": False, "code": failure.code, "message": message})

    def _read(self, id, request):
        parts = names.components(request.get("path"))
        with Descriptor(self._tree.open(parts, os.O_RDONLY)) as fd:
            status = regular(fd, names.shown(parts))
            self._answer(id, {"stat": describe(names.absolute(parts), status)}, fd)

    def _write(self, id, request):
        parts = names.components(request.get("path"))
        mode = _integer(request, "mode", None, 0, 0o7777)
        token, fd = self._uploads.begin(parts, mode, _flag(request, "overwrite", True), _flag(request, "parents", True))
        with Descriptor(fd):
            self._answer(id, {"token": token}, fd)

    def _commit(self, id, request):
        self._answer(id, {"stat": self._uploads.commit(request.get("token"))})

    def _abort(self, id, request):
        self._uploads.abort(request.get("token"))
        self._answer(id)

    def _stat(self, id, request):
        parts = names.components(request.get("path"))
        flags = os.O_PATH | (0 if _flag(request, "follow", True) else os.O_NOFOLLOW)
        with Descriptor(self._tree.open(parts, flags)) as fd:
            status = os.fstat(fd)
            link_target = os.readlink(b"", dir_fd=fd) if status.st_mode & 0o170000 == 0o120000 else None
        self._answer(id, {"stat": describe(names.absolute(parts), status, link_target)})

    def _list(self, id, request):
        parts = names.components(request.get("path"))
        depth = _integer(request, "depth", 1, 1, listing.MAX_DEPTH)
        limit = _integer(request, "limit", listing.DEFAULT_LIMIT, 1, listing.MAX_LIMIT)
        found = listing.of(self._tree, parts, depth, limit)
        pages = list(listing.pages(found.entries, lambda entry: len(link.encode(entry)), PAGE))
        for page in pages[:-1]:
            self._answer(id, {"entries": page, "more": True})
        self._answer(id, {"entries": pages[-1], "more": False, "truncated": found.truncated})

    def _mkdir(self, id, request):
        parts = names.components(request.get("path"))
        if _flag(request, "parents", True):
            self._tree.make_directories(parts)
            # What was there already may be a file.
            os.close(self._tree.directory(parts))
        else:
            parent, name = self._tree.parent(parts)
            with Descriptor(parent):
                os.mkdir(name, 0o755, dir_fd=parent)
        self._answer(id)

    def _remove(self, id, request):
        parts = names.components(request.get("path"))
        recursive = _flag(request, "recursive", False)
        parent, name = self._tree.parent(parts)
        with Descriptor(parent):
            status = os.stat(name, dir_fd=parent, follow_symlinks=False)
            if recursive:
                removal.remove(parent, name, names.shown(parts))
            elif status.st_mode & 0o170000 == 0o040000:
                os.rmdir(name, dir_fd=parent)
            else:
                os.unlink(name, dir_fd=parent)
        self._answer(id)

    def _move(self, id, request):
        source, target = names.components(request.get("from")), names.components(request.get("to"))
        overwrite = _flag(request, "overwrite", False)
        old_parent, old = self._tree.parent(source)
        with Descriptor(old_parent):
            os.stat(old, dir_fd=old_parent, follow_symlinks=False)
            try:
                new_parent, new = self._tree.parent(target)
                with Descriptor(new_parent):
                    rename(old_parent, old, new_parent, new, overwrite)
            except OSError as error:
                # The source is there, so what is wrong is wrong with the target.
                raise failures.from_errno(error, names.shown(target)) from error
        self._answer(id)

    def _pack(self, id, request):
        parts = names.components(request.get("path"))
        with Descriptor(self._tree.directory(parts)) as folder:
            self._run(id, lambda stream: Packer(stream, names.shown(parts)).pack(folder))

    def _unpack(self, id, request):
        parts = names.components(request.get("path"))
        self._tree.make_directories(parts)
        with Descriptor(self._tree.changeable(self._tree.directory(parts))) as folder:
            self._run(id, lambda stream: Unpacker(stream, folder, names.shown(parts)).unpack())

    def _watch(self, id, request):
        parts = names.components(request.get("path"))
        recursive = _flag(request, "recursive", False)
        with Descriptor(self._tree.directory(parts)) as folder:
            watch = Watch(folder, names.absolute(parts), recursive)
            self._run(id, watch.run)

    def _run(self, id, work):
        self._errand.run(lambda stream: self._answer(id, descriptor=stream), work)

    def _end(self, id, request):
        self._answer(id, self._errand.end())

    def _usage(self, id, request):
        space = os.fstatvfs(self._tree.root)
        self._answer(id, {
            "used_bytes": (space.f_blocks - space.f_bfree) * space.f_frsize,
            "free_bytes": space.f_bavail * space.f_frsize,
            "total_bytes": space.f_blocks * space.f_frsize,
            "used_inodes": space.f_files - space.f_ffree,
            "total_inodes": space.f_files,
        })


def _flag(request, name, default):
    value = request.get(name, default)
    if not isinstance(value, bool):
        raise Failure("bad_request", "%s is true or false" % name)
    return value


def _integer(request, name, default, least, most):
    value = request.get(name, default)
    if value is None and default is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Failure("bad_request", "%s is a whole number from %d to %d" % (name, least, most))
    return value
