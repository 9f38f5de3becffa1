"""The sandbox's tree: every way from a path to a descriptor goes through here."""

import errno
import os
import stat

from . import names
from .failures import Failure
from .syscalls import open_in_root

MAX_LINKS = 40


class Tree:
    def __init__(self, root_fd):
        self.root = root_fd
        self._skeleton = self._find_skeleton()

    def open(self, parts, flags):
        return open_in_root(self.root, b"/".join(parts), flags)

    def directory(self, parts):
        """A folder by its path, links on the way followed within the tree. The caller closes it."""
        return self.open(parts, os.O_RDONLY | os.O_DIRECTORY)

    def parent(self, parts, create=False):
        """The folder that holds the last name of a path, and that name. The roots themselves are never that name."""
        if names.is_root(parts):
            raise Failure("not_permitted", "%s itself stays where it is; name something inside it" % names.shown(parts))
        if create:
            self.make_directories(parts[:-1])
        return self.changeable(self.directory(parts[:-1])), parts[-1]

    def make_directories(self, parts):
        """mkdir -p, one level after the other."""
        for depth in range(1, len(parts) + 1):
            if not names.beneath_roots(parts[:depth]) or names.is_root(parts[:depth]):
                continue
            with Descriptor(self.changeable(self.directory(parts[: depth - 1]))) as parent:
                try:
                    os.mkdir(parts[depth - 1], 0o755, dir_fd=parent)
                except FileExistsError:
                    pass

    def changeable(self, fd):
        """Refuse the few folders that hold the roots; a link may have led there, and without its roots a tree is lost."""
        if _identity(fd) in self._skeleton:
            os.close(fd)
            raise Failure("outside_roots", "the path leads above /workspace, /tmp and /home/user; use a path beneath one of them")
        return fd

    def final(self, parts, create=False):
        """Follow a last name that is a link to what it stands for: (folder, name) of a file or of a free name."""
        parent, name = self.parent(parts, create)
        path = b"/".join(parts[:-1])
        for _ in range(MAX_LINKS):
            try:
                target = os.readlink(name, dir_fd=parent)
            except OSError as error:
                if error.errno in (errno.EINVAL, errno.ENOENT):
                    return parent, name
                os.close(parent)
                raise
            os.close(parent)
            folder, _, name = target.rpartition(b"/")
            if name in (b"", b".", b".."):
                raise Failure("not_a_file", "%s is a link to a folder; name a file in it" % names.shown(parts))
            # The kernel resolves what a link says, `..` and links on the way included, and stays in the tree.
            path = folder if target.startswith(b"/") else path + b"/" + folder
            parent = self.changeable(open_in_root(self.root, b"/" + path, os.O_RDONLY | os.O_DIRECTORY))
        os.close(parent)
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))

    def _find_skeleton(self):
        found = set()
        for root in names.ROOTS:
            for depth in range(len(root)):
                with Descriptor(self.directory([name.encode() for name in root[:depth]])) as fd:
                    found.add(_identity(fd))
        return found


def _identity(fd):
    status = os.fstat(fd)
    return status.st_dev, status.st_ino


class Descriptor:
    """Closes a descriptor at the end of a block."""

    def __init__(self, fd):
        self.fd = fd

    def __enter__(self):
        return self.fd

    def __exit__(self, *_):
        os.close(self.fd)


KINDS = (
    (stat.S_ISREG, "file"), (stat.S_ISDIR, "directory"), (stat.S_ISLNK, "symlink"), (stat.S_ISFIFO, "fifo"),
    (stat.S_ISSOCK, "socket"),
)


def kind(mode):
    return next((name for test, name in KINDS if test(mode)), "device")


def describe(path, status, link_target=None):
    """The stat object of the protocol."""
    result = {
        "path": names.encode(path),
        "type": kind(status.st_mode),
        "size_bytes": status.st_size,
        "allocated_bytes": status.st_blocks * 512,
        "mode": stat.S_IMODE(status.st_mode),
        "modified_ms": status.st_mtime_ns // 1_000_000,
    }
    if link_target is not None:
        result["link_target"] = names.encode(link_target)
    return result


def regular(fd, path):
    """The status of an open file, which must be a regular one."""
    status = os.fstat(fd)
    if stat.S_ISDIR(status.st_mode):
        raise Failure("is_a_directory", "%s is a folder; name a file" % path)
    if not stat.S_ISREG(status.st_mode):
        raise Failure("not_a_file", "%s is a %s and not a regular file; only those are read and written" % (path, kind(status.st_mode)))
    return status

