"""Files being written: each beside its target under a name nobody can guess, put in place by one rename."""

import errno
import os
import secrets
import stat

from . import names
from .failures import Failure
from .syscalls import ALWAYS, rename
from .tree import describe, kind

MAX_OPEN = 64
DEFAULT_MODE = 0o644
ATTEMPTS = 16
PREFIX = b".cove-"


class _Upload:
    def __init__(self, parent, temporary, file, target, overwrite, path):
        self.parent, self.temporary, self.file = parent, temporary, file
        self.target, self.overwrite, self.path = target, overwrite, path

    def close(self):
        os.close(self.parent)
        os.close(self.file)


class Uploads:
    def __init__(self, tree):
        self._tree = tree
        self._open = {}

    def begin(self, parts, mode, overwrite, parents):
        """-> (token, descriptor of the temporary file, which the caller closes)."""
        shown = names.shown(parts)
        if len(self._open) >= MAX_OPEN:
            raise Failure("too_many_open", "%d files are being written already; commit or abort one before writing %s" % (MAX_OPEN, shown))
        parent, target = self._tree.final(parts, parents)
        try:
            existing = _check(parent, target, overwrite, shown)
            if mode is None:
                mode = stat.S_IMODE(existing.st_mode) if existing else DEFAULT_MODE
            temporary, fd = self._create(parent)
            try:
                umask = os.umask(0)
                os.umask(umask)
                os.fchmod(fd, mode & 0o777 & ~umask)
                # Kept open, so that its inode number cannot come to stand for another file.
                file = os.dup(fd)
            except BaseException:
                os.close(fd)
                _unlink(temporary, parent)
                raise
        except BaseException:
            os.close(parent)
            raise
        token = secrets.token_hex(16)
        self._open[token] = _Upload(parent, temporary, file, target, overwrite, names.absolute(parts))
        return token, fd

    def commit(self, token):
        """Put the file in place; whatever comes of it, the token is used up. -> its stat object."""
        upload = self._take(token)
        shown = names.encode(upload.path)
        placed = False
        try:
            # The folder is the guest's: what stands there under our name may no longer be our file.
            status = os.stat(upload.temporary, dir_fd=upload.parent, follow_symlinks=False)
            if not os.path.samestat(status, os.fstat(upload.file)):
                raise Failure("busy", "the file being written to %s was replaced meanwhile; write it again" % shown)
            _check(upload.parent, upload.target, upload.overwrite, shown)
            rename(upload.parent, upload.temporary, upload.parent, upload.target, upload.overwrite)
            placed = True
            return describe(upload.path, status)
        finally:
            if not placed:
                _unlink(upload.temporary, upload.parent)
            upload.close()

    def abort(self, token):
        upload = self._take(token)
        _unlink(upload.temporary, upload.parent)
        upload.close()

    def clear(self):
        for token in list(self._open):
            self.abort(token)

    def _take(self, token):
        upload = self._open.pop(token, None) if isinstance(token, str) else None
        if upload is None:
            raise Failure("not_found", "no file is being written under this token; it was committed or aborted already")
        return upload

    def _create(self, parent):
        for _ in range(ATTEMPTS):
            temporary = PREFIX + secrets.token_hex(12).encode()
            try:
                flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | ALWAYS
                return temporary, os.open(temporary, flags, 0o600, dir_fd=parent)
            except FileExistsError:
                continue
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def is_temporary(name):
    """Whether a file of this name is one of ours that is still being written."""
    return len(name) == len(PREFIX) + 24 and name.startswith(PREFIX) and not name[len(PREFIX):].strip(b"0123456789abcdef")


def _check(parent, target, overwrite, shown):
    """What stands at the target may be replaced: nothing, or a regular file. -> its status or None."""
    try:
        status = os.stat(target, dir_fd=parent, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(status.st_mode):
        raise Failure("is_a_directory", "%s is a folder; name a file" % shown)
    if not stat.S_ISREG(status.st_mode):
        raise Failure("not_a_file", "%s is a %s and not a regular file; remove it first" % (shown, kind(status.st_mode)))
    if not overwrite:
        raise Failure("already_exists", "%s exists already; allow overwriting or choose another name" % shown)
    return status


def _unlink(name, parent):
    try:
        os.unlink(name, dir_fd=parent)
    except OSError:
        pass  # Gone already, or its folder is: nothing of ours is left either way.
