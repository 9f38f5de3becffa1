"""Unpacking an archive beneath one open folder: every folder on the way is opened by its name alone and never through a link, so that nothing
an archive (or a guest, meanwhile) arranges leads out of it."""

import os
import stat

from . import names, tarentries
from .failures import Failure, from_errno
from .tree import Descriptor

MAX_DEPTH = 128
MAX_PATH = 4096
MAX_NAME = 255
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
PIECE = 1 << 20


class Unpacker:
    def __init__(self, stream, folder, shown):
        self._stream = stream
        self._folder = folder
        self._shown = shown
        self._entries = 0
        self._near = ((), None)  # the folder the last entry was in, kept open: most entries follow one of their own folder
        self._piece = memoryview(bytearray(PIECE))

    def unpack(self):
        try:
            for entry in tarentries.read(self._stream):
                parts = self._parts(entry.path)
                try:
                    self._one(entry, parts)
                except ConnectionError:
                    raise
                except OSError as error:
                    raise from_errno(error, self._name(parts)) from error
                self._entries += 1
            return {"entries": self._entries}
        except Failure as failure:
            raise Failure(failure.code, "%s (unpacked before that into %s: %d entries)" % (failure, self._shown, self._entries)) from None
        finally:
            self._leave()

    def _one(self, entry, parts):
        if entry.kind == b"5":
            with Descriptor(self._open(parts)) as fd:
                if parts:
                    os.fchmod(fd, entry.mode | 0o700)  # its owner must be able to put the rest into it
            self._skip(entry.size)
        elif not parts:
            raise self._refusal(parts, "is no folder and has no name")
        elif entry.kind == b"0":
            self._file(entry, parts)
        elif entry.kind == b"2":
            parent = self._free(parts)
            os.symlink(entry.link, parts[-1], dir_fd=parent)
            os.utime(parts[-1], ns=(entry.mtime_ns, entry.mtime_ns), dir_fd=parent, follow_symlinks=False)
        elif entry.kind == b"1":
            self._hard_link(entry, parts)
        else:
            raise self._refusal(parts, "is of a kind that is not unpacked (%r)" % entry.kind.decode("latin-1"))

    def _file(self, entry, parts):
        parent = self._free(parts)
        whole = False
        with Descriptor(os.open(parts[-1], NEW_FILE, 0o600, dir_fd=parent)) as fd:
            try:
                self._copy(fd, entry.size)
                os.fchmod(fd, entry.mode)
                os.utime(fd, ns=(entry.mtime_ns, entry.mtime_ns))
                whole = True
            finally:
                if not whole:
                    self._drop(fd, parent, parts[-1])

    def _copy(self, fd, size):
        left = size
        while left:
            piece = self._piece[:min(left, PIECE)]
            if self._stream.read_into(piece) < len(piece):
                raise tarentries.broken("it ends within a file")
            done = 0
            while done < len(piece):
                done += os.write(fd, piece[done:])
            left -= len(piece)
        self._skip(0, -size % tarentries.BLOCK)

    @staticmethod
    def _drop(fd, parent, name):
        """What stands there under our name may no longer be our file."""
        try:
            if os.path.samestat(os.stat(name, dir_fd=parent, follow_symlinks=False), os.fstat(fd)):
                os.unlink(name, dir_fd=parent)
        except OSError:
            pass

    def _hard_link(self, entry, parts):
        """To a regular file that stands beneath the folder already, reached without a link on the way."""
        target = self._parts(entry.link)
        if not target:
            raise self._refusal(parts, "is a hard link to a folder")
        with Descriptor(os.dup(self._enter(target[:-1], make=False))) as source:
            if not stat.S_ISREG(os.stat(target[-1], dir_fd=source, follow_symlinks=False).st_mode):
                raise self._refusal(parts, "is a hard link to what is no regular file")
            if target == parts:
                return
            os.link(target[-1], parts[-1], src_dir_fd=source, dst_dir_fd=self._free(parts), follow_symlinks=False)

    def _skip(self, size, padding=None):
        left = size + (-size % tarentries.BLOCK if padding is None else padding)
        while left:
            count = self._stream.read_into(self._piece[:min(left, PIECE)])
            if not count:
                raise tarentries.broken("it ends within an entry")
            left -= count

    def _free(self, parts):
        """The folder of an entry, in which its name is free: what is there is replaced, unless it is a folder."""
        parent = self._enter(parts[:-1])
        try:
            os.unlink(parts[-1], dir_fd=parent)
        except FileNotFoundError:
            pass
        except (IsADirectoryError, PermissionError):
            if stat.S_ISDIR(os.stat(parts[-1], dir_fd=parent, follow_symlinks=False).st_mode):
                raise Failure("is_a_directory", "%s is a folder, and the archive has something else in its place" % self._name(parts)) from None
            raise
        return parent

    def _open(self, parts):
        return os.dup(self._enter(parts))

    def _enter(self, parts, make=True):
        """A folder beneath ours, its missing parts made; it stays ours to close."""
        if parts == self._near[0] and self._near[1] is not None:
            return self._near[1]
        current = os.dup(self._folder)
        for depth, name in enumerate(parts):
            try:
                below = self._step(current, name, make)
            except NotADirectoryError:
                raise self._refusal(parts[:depth + 1], "is a link or a file, and the archive goes through it") from None
            finally:
                os.close(current)
            current = below
        self._leave()
        self._near = (parts, current)
        return current

    @staticmethod
    def _step(folder, name, make):
        try:
            return os.open(name, FOLDER, dir_fd=folder)
        except FileNotFoundError:
            if not make:
                raise
        try:
            os.mkdir(name, 0o755, dir_fd=folder)
        except FileExistsError:
            pass
        return os.open(name, FOLDER, dir_fd=folder)

    def _leave(self):
        if self._near[1] is not None:
            os.close(self._near[1])
        self._near = ((), None)

    def _parts(self, path):
        parts = [name for name in path.split(b"/") if name not in (b"", b".")]
        if path.startswith(b"/") or b".." in parts or b"\0" in path:
            raise Failure("refused_entry", "the archive's entry %r leaves the folder; names are relative and without .." % path[:200].decode("utf-8", "replace"))
        if len(path) > MAX_PATH or len(parts) > MAX_DEPTH or any(len(name) > MAX_NAME for name in parts):
            raise Failure("refused_entry", "the archive's entry %r is too long or too deep: %d bytes, %d for one name, %d folders" % (
                path[:200].decode("utf-8", "replace"), MAX_PATH, MAX_NAME, MAX_DEPTH))
        return tuple(parts)

    def _name(self, parts):
        return self._shown + "/" + names.encode(b"/".join(parts))

    def _refusal(self, parts, what):
        return Failure("refused_entry", "%s %s" % (self._name(parts), what))
