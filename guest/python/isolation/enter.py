"""The one way into a cell. Kernels, commands and helpers of every cell, and of every branch, come through here.

The order is the point of this file: each step needs a power that the next one gives up.
"""

import fcntl
import os
import signal

from . import capabilities, cgroups, landlock, namespaces, rlimits, syscalls, users


class Door:
    """What is needed to enter one cell."""

    def __init__(self, stem_pidfd, join, limits, soft_memory, filter_, landlock_abi):
        self.stem_pidfd = stem_pidfd
        self.join = join
        self.limits = limits
        self.soft_memory = soft_memory
        self.filter = filter_
        self.landlock_abi = landlock_abi


def enter(door, descriptors, directory):
    """Turns this freshly forked child into a process of the cell that holds `descriptors` as 0, 1, 2, … and nothing else."""
    # This is a copy of a launcher (or zygote), whose memory and command line tell of the host and of other cells. The change of ids below
    # hides it where the ids do change; an ordinary user's launcher without subordinate ids has the same host id as its cells.
    syscalls.prctl(syscalls.PR_SET_DUMPABLE, 0)
    reset_signals()
    os.setsid()
    namespaces.enter(door.stem_pidfd)
    os.chdir(directory)
    os.umask(0o022)
    cgroups.join(door.join)
    place(descriptors)
    # After the launcher's own descriptors are closed: their numbers may be over the cell's limit.
    rlimits.apply(door.limits, door.soft_memory)
    capabilities.drop_bounding_set()
    os.setresgid(users.USER, users.USER, users.USER)
    os.setresuid(users.USER, users.USER, users.USER)
    capabilities.drop_all()
    syscalls.prctl(syscalls.PR_SET_DUMPABLE, 0)  # the change of ids may have set it anew (fs.suid_dumpable)
    capabilities.no_new_privileges()
    if door.landlock_abi:
        landlock.restrict(door.landlock_abi)
    door.filter.apply()


def reset_signals():
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def place(descriptors):
    """Moves descriptors to 0, 1, 2, … and closes all others. Those that are None become /dev/null."""
    null = os.open("/dev/null", os.O_RDWR)
    # First up out of the way, so that no target overwrites a source that is still needed.
    away = [fcntl.fcntl(null if d is None else d, fcntl.F_DUPFD_CLOEXEC, len(descriptors) + 8) for d in descriptors]
    for target, source in enumerate(away):
        os.dup2(source, target)
    syscalls.close_from(len(descriptors))
