"""The soft wall beneath the cgroups: per-process limits."""

import resource


def apply(limits, soft_memory):
    """Limits of one process in a cell. `soft_memory` is RLIMIT_DATA in bytes, or None where the process sets its own later."""
    # 1 and not 0: a core_pattern that is a pipe starts the host's crash handler, as root and on the host, whatever the limit is; only at
    # exactly 1 does the kernel make no dump at all. The system call filter keeps a guest from changing it.
    exact(resource.RLIMIT_CORE, 1)
    exact(resource.RLIMIT_NOFILE, limits["open_files"])
    # Counted per user namespace, so it binds per cell even where all cells share one host user.
    exact(resource.RLIMIT_NPROC, limits["pids"])
    exact(resource.RLIMIT_NICE, 0)
    exact(resource.RLIMIT_RTPRIO, 0)
    exact(resource.RLIMIT_MEMLOCK, 64 * 1024)
    exact(resource.RLIMIT_SIGPENDING, 1024)
    exact(resource.RLIMIT_MSGQUEUE, 819_200)
    if soft_memory is not None:
        exact(resource.RLIMIT_DATA, soft_memory)


def lower(pid, limits):
    """For a process that entered before the limits were known: a parked kernel, when a sandbox with lower limits is made of it."""
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (limits["open_files"],) * 2)
    resource.prlimit(pid, resource.RLIMIT_NPROC, (limits["pids"],) * 2)


def raise_ceilings():
    """For the launcher, before it makes a cell. What these limits count in a cell counts against the launcher's user too, up to the limit
    the launcher had when it made the cell: at the default one cell could use up what is meant for all of them and for the host's user.
    """
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))  # some descriptors for each cell
    for which in (resource.RLIMIT_NPROC, resource.RLIMIT_SIGPENDING, resource.RLIMIT_MSGQUEUE, resource.RLIMIT_MEMLOCK):
        hard = resource.getrlimit(which)[1]
        try:
            resource.setrlimit(which, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        except (ValueError, OSError):  # only root may; for others a cell's own limit is a small share of the whole
            resource.setrlimit(which, (hard, hard))


def exact(which, value):
    """Sets both limits, or the lower of the value and the hard limit where raising it is not permitted."""
    hard = resource.getrlimit(which)[1]
    if hard != resource.RLIM_INFINITY and value > hard:
        value = hard
    resource.setrlimit(which, (value, value))
