"""The system call filter: an allow-list. What is not on it answers EPERM when this kernel generation knows it, ENOSYS when not.

ENOSYS lets programs fall back (a C library that finds no clone3 uses clone, whose flags can be read by the filter; clone3's live in memory
that the guest could change after the check). The filter is compiled once, in the launcher, as a search tree over ranges.
"""

import ctypes
import struct

from . import syscalls

_ARCH_X86_64 = 0xC000003E
_X32_BIT = 0x40000000

_LD_W_ABS, _JEQ, _JGE, _JSET, _RET, _AND = 0x20, 0x15, 0x35, 0x45, 0x06, 0x54
_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_KILL_PROCESS = 0x80000000
_EPERM, _ENOSYS, _EAFNOSUPPORT = 1, 38, 97

# Numbers above this are newer than the list: ENOSYS.
_NEWEST = 450

ALLOWED = {
    # files and descriptors
    "read": 0, "write": 1, "open": 2, "close": 3, "stat": 4, "fstat": 5, "lstat": 6, "poll": 7, "lseek": 8, "pread64": 17,
    "pwrite64": 18, "readv": 19, "writev": 20, "access": 21, "pipe": 22, "select": 23, "dup": 32, "dup2": 33, "sendfile": 40,
    "fcntl": 72, "flock": 73, "fsync": 74, "fdatasync": 75, "truncate": 76, "ftruncate": 77, "getdents": 78, "getcwd": 79,
    "chdir": 80, "fchdir": 81, "rename": 82, "mkdir": 83, "rmdir": 84, "creat": 85, "link": 86, "unlink": 87, "symlink": 88,
    "readlink": 89, "chmod": 90, "fchmod": 91, "chown": 92, "fchown": 93, "lchown": 94, "umask": 95, "utime": 132, "mknod": 133,
    "statfs": 137, "fstatfs": 138, "sync": 162, "readahead": 187, "setxattr": 188, "lsetxattr": 189, "fsetxattr": 190,
    "getxattr": 191, "lgetxattr": 192, "fgetxattr": 193, "listxattr": 194, "llistxattr": 195, "flistxattr": 196,
    "removexattr": 197, "lremovexattr": 198, "fremovexattr": 199, "getdents64": 217, "fadvise64": 221, "utimes": 235,
    "openat": 257, "mkdirat": 258, "mknodat": 259,
    "fchownat": 260, "futimesat": 261, "newfstatat": 262, "unlinkat": 263, "renameat": 264, "linkat": 265, "symlinkat": 266,
    "readlinkat": 267, "fchmodat": 268, "faccessat": 269, "pselect6": 270, "ppoll": 271, "splice": 275, "tee": 276,
    "sync_file_range": 277, "utimensat": 280, "fallocate": 285, "dup3": 292, "pipe2": 293, "preadv": 295,
    "pwritev": 296, "syncfs": 306, "renameat2": 316, "copy_file_range": 326, "preadv2": 327, "pwritev2": 328, "statx": 332,
    "close_range": 436, "openat2": 437, "faccessat2": 439,
    # memory
    "mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12, "mremap": 25, "msync": 26, "mincore": 27, "madvise": 28, "mlock": 149,
    "munlock": 150, "mlockall": 151, "munlockall": 152, "remap_file_pages": 216, "get_mempolicy": 239, "memfd_create": 319,
    "membarrier": 324, "mlock2": 325, "pkey_mprotect": 329, "pkey_alloc": 330, "pkey_free": 331,
    # processes and threads (clone, setrlimit and prlimit64 are judged by their arguments below)
    "fork": 57, "vfork": 58, "execve": 59, "exit": 60, "wait4": 61, "getpid": 39, "getppid": 110, "getpgrp": 111, "setsid": 112,
    "setpgid": 109, "getpgid": 121, "getsid": 124, "gettid": 186, "exit_group": 231, "waitid": 247, "execveat": 322,
    "set_tid_address": 218, "set_robust_list": 273, "get_robust_list": 274, "arch_prctl": 158, "set_thread_area": 205,
    "get_thread_area": 211, "prctl": 157, "rseq": 334, "futex": 202, "futex_waitv": 449, "restart_syscall": 219, "pidfd_open": 434,
    "getrlimit": 97, "getrusage": 98, "times": 100, "sysinfo": 99, "uname": 63, "getcpu": 309,
    "getpriority": 140, "setpriority": 141, "sched_yield": 24, "sched_setparam": 142, "sched_getparam": 143,
    "sched_setscheduler": 144, "sched_getscheduler": 145, "sched_get_priority_max": 146, "sched_get_priority_min": 147,
    "sched_rr_get_interval": 148, "sched_setaffinity": 203, "sched_getaffinity": 204, "sched_setattr": 314, "sched_getattr": 315,
    "ioprio_set": 251, "ioprio_get": 252,
    # identities (they change nothing without capabilities; programs call them all the same)
    "getuid": 102, "getgid": 104, "setuid": 105, "setgid": 106, "geteuid": 107, "getegid": 108, "setreuid": 113, "setregid": 114,
    "getgroups": 115, "setgroups": 116, "setresuid": 117, "getresuid": 118, "setresgid": 119, "getresgid": 120, "setfsuid": 122,
    "setfsgid": 123, "capget": 125, "capset": 126,
    # signals and time
    "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "pause": 34, "nanosleep": 35, "getitimer": 36, "alarm": 37,
    "setitimer": 38, "kill": 62, "rt_sigpending": 127, "rt_sigtimedwait": 128, "rt_sigqueueinfo": 129, "rt_sigsuspend": 130,
    "sigaltstack": 131, "tkill": 200, "tgkill": 234, "rt_tgsigqueueinfo": 297, "signalfd": 282, "signalfd4": 289,
    "pidfd_send_signal": 424, "gettimeofday": 96, "time": 201, "clock_gettime": 228, "clock_getres": 229, "clock_nanosleep": 230,
    "timer_create": 222, "timer_settime": 223, "timer_gettime": 224, "timer_getoverrun": 225, "timer_delete": 226,
    "timerfd_create": 283, "timerfd_settime": 286, "timerfd_gettime": 287,
    # events, System V and POSIX IPC (in an IPC namespace of the cell's own)
    "epoll_create": 213, "epoll_wait": 232, "epoll_ctl": 233, "epoll_pwait": 281, "epoll_create1": 291, "epoll_pwait2": 441,
    "eventfd": 284, "eventfd2": 290, "shmget": 29, "shmat": 30, "shmctl": 31, "semget": 64, "semop": 65, "semctl": 66, "shmdt": 67,
    "msgget": 68, "msgsnd": 69, "msgrcv": 70, "msgctl": 71, "semtimedop": 220, "mq_open": 240, "mq_unlink": 241,
    "mq_timedsend": 242, "mq_timedreceive": 243, "mq_notify": 244, "mq_getsetattr": 245,
    # sockets (socket, socketpair and setsockopt are judged by their arguments below)
    "connect": 42, "accept": 43, "sendto": 44, "recvfrom": 45, "sendmsg": 46, "recvmsg": 47, "shutdown": 48, "bind": 49,
    "listen": 50, "getsockname": 51, "getpeername": 52, "getsockopt": 55, "accept4": 288, "recvmmsg": 299, "sendmmsg": 307,
    # randomness and restricting oneself further
    "getrandom": 318, "landlock_create_ruleset": 444, "landlock_add_rule": 445, "landlock_restrict_self": 446,
}

# Unknown to programs rather than forbidden: they probe for these and fall back.
# inotify is among them because it sees through the boundary: a watch on a file of /usr tells when another cell (or the host) opens it, and
# the instances of all cells count against the 128 of the user that the launcher runs as, so that one cell could use up the host's.
_NOT_THERE = {
    "inotify_init": 253, "inotify_add_watch": 254, "inotify_rm_watch": 255, "inotify_init1": 294,
    "clone3": 435, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427, "io_setup": 206, "memfd_secret": 447}

# The word a live fork will ask for (every namespace but the PID one). Until fork exists it is answered like the rest.
_NAMESPACE_FLAGS = 0x7E020000
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_AF_UNIX, _AF_INET, _AF_INET6 = 1, 2, 10
_PER_LINUX, _PER_QUERY = 0, 0xFFFFFFFF
_RLIMIT_CORE = 4


def _argument(index):
    return 16 + 8 * index  # offset of the low half of an argument in struct seccomp_data (little endian)


def _errno(number):
    return (_RET, 0, 0, _ERRNO | number)


def _judged():
    """Programs for the calls whose arguments decide. Each is a list of instructions that ends in a return on every path."""
    allow = (_RET, 0, 0, _ALLOW)
    deny, done = _errno(_EPERM), _errno(0)
    load = lambda index: (_LD_W_ABS, 0, 0, _argument(index))
    is_any = lambda values, otherwise: [(_JEQ, len(values) - i, 0, v) for i, v in enumerate(values)] + [otherwise, allow]
    is_none = lambda values: [(_JEQ, len(values) - i, 0, v) for i, v in enumerate(values)] + [allow, deny]
    return {
        # ioctl: no typing into terminals, no line disciplines, and none of the socket requests that load modules (bridges, VLANs, bonds)
        16: [load(1), *is_none([_TIOCSTI, _TIOCLINUX, 0x5423, 0x8940, 0x8941, 0x8982, 0x8983, 0x89A0, 0x89A1, 0x89A2, 0x89A3])],
        # mmap, shmget, memfd_create: the host's huge pages are counted by no group of the cell
        9: [load(3), (_JSET, 0, 1, 0x40000), _errno(12), allow],
        29: [load(2), (_JSET, 0, 1, 0x800), deny, allow],
        319: [load(1), (_JSET, 0, 1, 4), _errno(22), allow],
        72: [load(1), *is_none([1026])],                                                     # fcntl: F_NOTIFY sees through the boundary as inotify does
        # socket: TCP and UDP only; others (SCTP, MPTCP, SMC, UDP-Lite, L2TP) are loaded into the kernel when asked for
        41: [load(0), (_JEQ, 3, 0, _AF_UNIX), (_JEQ, 3, 0, _AF_INET), (_JEQ, 2, 0, _AF_INET6), _errno(_EAFNOSUPPORT), allow,
             load(2), (_JEQ, 3, 0, 0), (_JEQ, 2, 0, 6), (_JEQ, 1, 0, 17), _errno(93),
             load(1), (_AND, 0, 0, 0xF), *is_any([1, 2], _errno(94))],
        53: [load(0), *is_any([_AF_UNIX], _errno(_EAFNOSUPPORT))],                           # socketpair
        # setsockopt: IPT_SO_SET_* / IP6T_SO_SET_* (64, 65) at SOL_IP (0) and SOL_IPV6 (41) reach netfilter
        # and TCP_ULP (31) at SOL_TCP (6) loads protocol modules
        54: [load(1), (_JEQ, 3, 0, 0), (_JEQ, 2, 0, 41), (_JEQ, 6, 0, 6), allow,
             load(2), (_JEQ, 2, 0, 64), (_JEQ, 1, 0, 65), allow, deny,
             load(2), *is_none([31])],
        # sync, syncfs: a cell's files are in memory; flushing the host's disks is not its business
        162: [done], 306: [done],
        56: [load(0), (_JSET, 0, 1, _NAMESPACE_FLAGS), deny, allow],                         # clone
        # setrlimit, prlimit64: a new RLIMIT_CORE (4) is taken for set, and is not (see rlimits); programs that switch their dumps off go on.
        160: [load(0), (_JEQ, 0, 1, _RLIMIT_CORE), done, allow],
        302: [load(1), (_JEQ, 0, 4, _RLIMIT_CORE), load(2), (_JEQ, 0, 3, 0), (_LD_W_ABS, 0, 0, _argument(2) + 4), (_JEQ, 0, 1, 0), allow, done],
        135: [load(0), *is_any([_PER_LINUX, _PER_QUERY], deny)],                             # personality
    }


def _tree(entries):
    """Instructions that find the number in the sorted (first, last, verdict) ranges, which cover every number."""
    if len(entries) == 1:
        return list(entries[0][2])
    middle = len(entries) // 2
    left, right = _tree(entries[:middle]), _tree(entries[middle:])
    # Conditional jumps reach 255 instructions; an unconditional one bridges more.
    if len(left) <= 255:
        return [(_JGE, len(left), 0, entries[middle][0]), *left, *right]
    return [(_JGE, 0, 1, entries[middle][0]), (0x05, 0, 0, len(left)), *left, *right]


def _ranges():
    verdicts = {}
    for number in ALLOWED.values():
        verdicts[number] = ((_RET, 0, 0, _ALLOW),)
    for number in _NOT_THERE.values():
        verdicts[number] = (_errno(_ENOSYS),)
    for number, program in _judged().items():
        verdicts[number] = tuple(program)
    ranges = []
    for number in range(_NEWEST + 1):
        verdict = verdicts.get(number, (_errno(_EPERM),))
        if ranges and ranges[-1][2] == verdict:
            ranges[-1] = (ranges[-1][0], number, verdict)
        else:
            ranges.append((number, number, verdict))
    ranges.append((_NEWEST + 1, 0xFFFFFFFF, (_errno(_ENOSYS),)))
    return ranges


def compile_filter():
    """The filter as (bytes of struct sock_filter[], number of instructions)."""
    program = [
        (_LD_W_ABS, 0, 0, 4), (_JEQ, 1, 0, _ARCH_X86_64), (_RET, 0, 0, _KILL_PROCESS),
        (_LD_W_ABS, 0, 0, 0), (_JSET, 0, 1, _X32_BIT), _errno(_ENOSYS),
        *_tree(_ranges()),
    ]
    return b"".join(struct.pack("<HBBI", *i) for i in program), len(program)


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


class Filter:
    """A compiled filter, ready to be applied by children."""

    def __init__(self):
        code, length = compile_filter()
        self._buffer = ctypes.create_string_buffer(code, len(code))
        self._program = _Program(length, ctypes.cast(self._buffer, ctypes.c_void_p))

    def apply(self):
        syscalls.raw(syscalls.SECCOMP, 1, 0, ctypes.byref(self._program), what="seccomp")
