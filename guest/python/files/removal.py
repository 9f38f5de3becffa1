"""Recursive removal by descriptors: any depth with three descriptors, and never a step out of the tree."""

import errno
import os
import stat
import time

from .failures import Failure

MAX_SECONDS = 20.0
MAX_DEPTH = 1_000_000
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def remove(parent, name, shown):
    """Remove `name` in the open folder `parent`, and everything in it."""
    deadline = time.monotonic() + MAX_SECONDS
    if _unlink(name, parent):
        return
    try:
        current = _enter(parent, name, shown)
    except FileNotFoundError:
        return
    # For each level: the name of the folder we are in, and which folder it was found in.
    levels = [(name, _identity(parent))]
    try:
        while levels:
            child = _empty(current, deadline, shown)
            if child is not None:
                try:
                    below = _enter(current, child, shown)
                except (FileNotFoundError, NotADirectoryError):
                    continue  # Changed in the meantime: look again.
                if len(levels) >= MAX_DEPTH:
                    os.close(below)
                    raise _partly(shown)
                levels.append((child, _identity(current)))
                os.close(current)
                current = below
                continue
            name, above = levels[-1]
            up = os.open("..", FOLDER, dir_fd=current)
            os.close(current)
            current = up
            # A folder that was moved meanwhile has another `..`, and what stands there was not asked for.
            if _identity(current) != above:
                raise _partly(shown)
            levels.pop()
            try:
                os.rmdir(name, dir_fd=current)
            except FileNotFoundError:
                pass
            except OSError as error:
                if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                    raise
                if not levels:
                    raise _partly(shown) from None
    finally:
        os.close(current)


def _empty(folder, deadline, shown):
    """Unlink what is no folder; the name of the first folder met, or None once nothing is left."""
    while True:
        found = False
        # A folder is read in pieces, because it may hold millions of names.
        with os.scandir(folder) as entries:
            for count, entry in enumerate(entries):
                found = True
                name = os.fsencode(entry.name)
                if entry.is_dir(follow_symlinks=False) or not _unlink(name, folder):
                    return name
                if count % 64 == 0 and time.monotonic() > deadline:
                    raise _partly(shown)
        if time.monotonic() > deadline:
            raise _partly(shown)
        if not found:
            return None


def _unlink(name, folder):
    """Whether `name` is gone; a folder stays."""
    try:
        os.unlink(name, dir_fd=folder)
    except FileNotFoundError:
        return True
    except (IsADirectoryError, PermissionError):
        # Some file systems say EPERM of a folder.
        if stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            return False
        raise
    return True


def _enter(folder, name, shown):
    try:
        fd = os.open(name, FOLDER, dir_fd=folder)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None
        raise
    status = os.fstat(fd)
    if status.st_dev != os.fstat(folder).st_dev:
        os.close(fd)
        raise Failure("not_permitted", "something else is mounted beneath %s; it stays" % shown)
    if stat.S_IMODE(status.st_mode) & 0o700 != 0o700:
        # A folder its owner has made read-only (as Go's module cache does) is still the owner's to remove.
        try:
            os.fchmod(fd, 0o700)
        except OSError:
            pass
    return fd


def _identity(fd):
    status = os.fstat(fd)
    return status.st_dev, status.st_ino


def _partly(shown):
    return Failure("busy", "%s was removed only in part, because it is very large or kept changing; remove it again" % shown)
