"""The C library through ctypes: the few calls Python's os module lacks, with errors that name the call."""

import ctypes
import os
import struct

_libc = ctypes.CDLL(None, use_errno=True)
_syscall = _libc.syscall
_syscall.restype = ctypes.c_long
# With the types declared, ctypes converts in C: a create makes some hundred of these calls.
_libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
_libc.mount.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p]

# x86_64 numbers; `require_supported_machine` refuses any other machine before one of them is used.
CLONE = 56
PIVOT_ROOT = 155
PIDFD_SEND_SIGNAL = 424
SCHED_SETATTR = 314
FSCONFIG = 431
FSPICK = 433
PIDFD_OPEN = 434
CLOSE_RANGE = 436
SECCOMP = 317
EXECVEAT = 322
CAPSET = 126
MOUNT_SETATTR = 442
LANDLOCK_CREATE_RULESET = 444
LANDLOCK_ADD_RULE = 445
LANDLOCK_RESTRICT_SELF = 446

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_CAPBSET_DROP = 24
PR_SET_NO_NEW_PRIVS = 38
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4


def require_supported_machine():
    machine = os.uname().machine
    if machine != "x86_64":
        raise OSError(f"the namespaces backend knows the system calls of x86_64 only; this machine is {machine}")


def check(result, what):
    """Raises OSError with the call's name when the C library reported -1."""
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def raw(number, *arguments, what="system call"):
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return check(_syscall(ctypes.c_long(number), *words), what)


def prctl(option, a=0, b=0, c=0, d=0):
    return check(_libc.prctl(option, a, b, c, d), "prctl")


def unshare(flags):
    check(_libc.unshare(flags), "unshare")


def setns(descriptor, kinds):
    check(_libc.setns(descriptor, kinds), "setns")


def mount(source, target, kind=None, flags=0, data=None):
    result = _libc.mount(
        os.fsencode(source), os.fsencode(target), kind and os.fsencode(kind), flags, data and os.fsencode(data))
    if result:
        check(result, f"mount {kind or 'bind'} on {target}")


def umount(target, flags=0):
    check(_libc.umount2(os.fsencode(target), flags), f"umount {target}")


def sethostname(name):
    data = name.encode()
    check(_libc.sethostname(data, ctypes.c_size_t(len(data))), "sethostname")


def pidfd_open(pid):
    return raw(PIDFD_OPEN, pid, 0, what="pidfd_open")


def let_others_first(pid):
    """From here on a process displaces nobody when it wakes, and others displace it: SCHED_BATCH with the longest slice there is (100 ms)."""
    attributes = struct.pack("=IIQiIQQQ", 48, os.SCHED_BATCH, 0, 0, 0, 100_000_000, 0, 0)
    raw(SCHED_SETATTR, pid, attributes, 0, what="sched_setattr")


def keep_off_this_processor(pid):
    """From here on a process's first thread runs on any other processor than the one this runs on; where there is only one, nothing changes."""
    others = os.sched_getaffinity(0) - {_libc.sched_getcpu()}
    if others:
        os.sched_setaffinity(pid, others)


def pidfd_send_signal(pidfd, number):
    raw(PIDFD_SEND_SIGNAL, pidfd, number, 0, 0, what="pidfd_send_signal")


def close_from(first):
    """Closes every descriptor from `first` up, whatever Python believes it still owns."""
    raw(CLOSE_RANGE, first, 0xFFFFFFFF, 0, what="close_range")
