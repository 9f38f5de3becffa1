"""Making and entering namespaces."""

import os
import signal

from . import syscalls

NEWNS = 0x00020000
NEWCGROUP = 0x02000000
NEWUTS = 0x04000000
NEWIPC = 0x08000000
NEWUSER = 0x10000000
NEWPID = 0x20000000
NEWNET = 0x40000000

# The cgroup namespace is left out: it is unshared by the new process itself once it has joined its cgroup, so that
# /proc/self/cgroup inside shows a root.
CELL = NEWUSER | NEWNS | NEWPID | NEWNET | NEWIPC | NEWUTS
ENTERED = NEWUSER | NEWNS | NEWNET | NEWIPC | NEWUTS | NEWCGROUP


def clone_into_new():
    """Forks a child that is PID 1 of fresh namespaces; they all belong to its fresh user namespace. Returns as fork does.

    A raw clone bypasses the C library's fork handlers. That is safe here and only here: the caller is single-threaded, and the
    child makes system calls until it executes another program.
    """
    return syscalls.raw(syscalls.CLONE, CELL | signal.SIGCHLD, 0, 0, 0, 0, what="clone")


class Entry:
    """The way into one cell: forks children into its PID namespace. Needs the caller's own PID namespace to come back to."""

    def __init__(self, own_pid_namespace):
        self._own = own_pid_namespace

    def fork(self, stem_pidfd):
        """Forks a child that is already a member of the cell's PID namespace, and of nothing else of it yet."""
        syscalls.setns(stem_pidfd, NEWPID)
        pid = -1
        try:
            pid = os.fork()
        finally:
            if pid != 0:
                # Only the parent comes back; for the child the way up is closed by the kernel.
                syscalls.setns(self._own, NEWPID)
        return pid


def enter(stem_pidfd):
    """Moves this process into the other namespaces of the cell. From here on it holds no power outside them."""
    syscalls.setns(stem_pidfd, ENTERED)
