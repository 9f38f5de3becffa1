"""Why a request failed, in words for a person and a code for a program."""

import errno


class Failure(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


BY_ERRNO = {
    errno.ENOENT: ("not_found", "%s does not exist; check the path, or list its folder"),
    errno.ENOTDIR: ("not_a_directory", "a part of %s is not a folder; check the path"),
    errno.EISDIR: ("is_a_directory", "%s is a folder; name a file"),
    errno.EEXIST: ("already_exists", "%s exists already; allow overwriting or choose another name"),
    errno.ENOTEMPTY: ("not_empty", "%s is not empty; remove it recursively"),
    errno.ELOOP: ("not_a_file", "%s leads through a circle of links, or through a link that must not be followed; name the target itself"),
    errno.EXDEV: ("outside_roots", "%s leads to another file system; use /workspace, /tmp or /home/user"),
    errno.EACCES: ("not_permitted", "the permissions of %s or its folder forbid this; change them inside the sandbox"),
    errno.EPERM: ("not_permitted", "the permissions of %s or its folder forbid this; change them inside the sandbox"),
    errno.EROFS: ("not_permitted", "%s is read-only"),
    errno.ENOSPC: ("no_space", "the disk is full, so %s was not written; remove files or ask for a larger disk"),
    errno.EDQUOT: ("no_space", "the disk quota is used up, so %s was not written; remove files or ask for a larger disk"),
    errno.EFBIG: ("no_space", "%s would be larger than a file may be"),
    errno.EMFILE: ("too_many_open", "too many files are open to reach %s; finish other transfers first"),
    errno.ENFILE: ("too_many_open", "too many files are open to reach %s; finish other transfers first"),
    errno.EBUSY: ("busy", "%s is in use; try again"),
    errno.ETXTBSY: ("busy", "%s is in use; try again"),
    errno.EAGAIN: ("busy", "%s kept changing while it was looked up; try again"),
    errno.ENXIO: ("not_a_file", "%s is not a regular file"),
    errno.ENODEV: ("not_a_file", "%s is not a regular file"),
    errno.ENAMETOOLONG: ("invalid_path", "%s is too long: 4096 bytes in all and 255 for one name"),
    errno.EINVAL: ("invalid_path", "%s cannot be used that way; a folder cannot be moved into itself"),
}


def from_errno(error, path):
    code, message = BY_ERRNO.get(error.errno, ("io_error", "%s: " + (error.strerror or "input or output failed").replace("%", "%%")))
    return Failure(code, message % path)
