"""The system calls Python does not offer."""

import ctypes
import errno
import os
import time

_libc = ctypes.CDLL(None, use_errno=True)
_syscall = _libc.syscall
_syscall.restype = ctypes.c_long

OPENAT2 = 437  # The same number on x86_64 and aarch64, as for every system call since 5.1.
RESOLVE_NO_XDEV = 0x01
RESOLVE_NO_MAGICLINKS = 0x02
RESOLVE_IN_ROOT = 0x10
RENAME_NOREPLACE = 1
ALWAYS = os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
O_PATH = os.O_PATH
ATTEMPTS = 64


class _How(ctypes.Structure):
    _fields_ = [("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64)]


def open_in_root(root, path, flags, mode=0):
    """openat2 beneath `root`, which links take for `/`; never through a magic link or onto another file system."""
    # The kernel refuses flags that O_PATH would ignore.
    flags |= os.O_CLOEXEC if flags & O_PATH else ALWAYS
    how = _How(flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV)
    name = ctypes.c_char_p(path or b".")
    for attempt in range(ATTEMPTS):
        fd = _syscall(
            ctypes.c_long(OPENAT2), ctypes.c_int(root), name, ctypes.byref(how), ctypes.c_size_t(ctypes.sizeof(how))
        )
        if fd >= 0:
            return fd
        error = ctypes.get_errno()
        if error == errno.EAGAIN:
            time.sleep(attempt * 0.0005)  # Somebody renames while `..` is resolved: the kernel asks to try again.
        elif error != errno.EINTR:
            raise OSError(error, os.strerror(error))
    raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))


def rename(old_fd, old, new_fd, new, replace):
    if replace:
        os.rename(old, new, src_dir_fd=old_fd, dst_dir_fd=new_fd)
        return
    flags = ctypes.c_uint(RENAME_NOREPLACE)
    if _libc.renameat2(ctypes.c_int(old_fd), ctypes.c_char_p(old), ctypes.c_int(new_fd), ctypes.c_char_p(new), flags) != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
