"""Building a cell: fresh namespaces, its own root, and the stem as its PID 1."""

import fcntl
import os
import signal
import socket

from . import capabilities, cgroups, etc, mounts, namespaces, network, stem, syscalls, users


def start(plan):
    """Forks the child that becomes the stem; the work goes on in it while the caller serves others.

    Returns (pid, pidfd, socket). The socket yields the writable tree's descriptor and then its end when the cell stands, or the
    text of what failed.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        pid = namespaces.clone_into_new()
    except OSError:
        close_join(plan)
        raise
    if pid == 0:
        _become_stem(plan, theirs)
    theirs.close()
    close_join(plan)
    try:
        pidfd = syscalls.pidfd_open(pid)
        users.write_maps(pid, plan.host_id)
        ours.send(b"m")
    except OSError:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        ours.close()
        raise
    return pid, pidfd, ours


def close_join(plan):
    for descriptor in plan.join:
        os.close(descriptor)


class Plan:
    """What a cell is made of."""

    def __init__(self, host_id, join, limits, system_root, staging, masks, stem_executable):
        self.host_id = host_id
        self.join = join
        self.limits = limits
        self.system_root = system_root
        self.staging = staging
        self.masks = masks
        self.stem_executable = stem_executable


def _become_stem(plan, link):
    # Two descriptors survive until the end: the program to execute, and the link whose closing says that it was executed.
    executable, report = _move(plan.stem_executable), _move(link.fileno())
    try:
        if os.read(report, 1) != b"m":
            os._exit(1)
        os.setsid()
        # Before the ids change: where a control group was delegated to a user, only that user's processes may be moved into it.
        cgroups.join(plan.join)
        syscalls.unshare(namespaces.NEWCGROUP)
        # No id is mapped to root, so the capabilities in the new user namespace survive this change of ids, and what is
        # created from here on belongs to the sandbox's user.
        os.setresgid(users.USER, users.USER, users.USER)
        os.setresuid(users.USER, users.USER, users.USER)
        os.umask(0o022)
        syscalls.sethostname(etc.HOST_NAME)
        network.raise_loopback()
        tree = mounts.build_cell(plan.system_root, plan.staging, plan.masks, plan.limits)
        socket.send_fds(link, [b"t"], [tree])
        _reset_signals()
        capabilities.drop_bounding_set()
        capabilities.drop_all()
        capabilities.no_new_privileges()
        _keep_only(executable, report)
        stem.become(3)
    except BaseException as error:  # whatever it was, the launcher must hear of it before this process ends
        try:
            os.write(report, b"!" + f"{type(error).__name__}: {error}".encode()[:2000])
        finally:
            os._exit(1)


def _move(descriptor):
    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 900)


def _reset_signals():
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # over exec too: the kernel then reaps the cell's orphans


def _keep_only(executable, report):
    os.dup2(executable, 3, inheritable=False)
    for low, high in ((0, 2), (4, report - 1), (report + 1, 0xFFFFFFFF)):
        syscalls.raw(syscalls.CLOSE_RANGE, low, high, 0, what="close_range")
