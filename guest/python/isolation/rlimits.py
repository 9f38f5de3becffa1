"""The soft wall beneath the cgroups: per-process limits."""

import resource


def apply(limits, soft_memory):
    """Limits of one process in a cell. `soft_memory` is RLIMIT_DATA in bytes, or None where the process sets its own later."""
    exact(resource.RLIMIT_CORE, 0)
    exact(resource.RLIMIT_NOFILE, limits["open_files"])
    # Counted per user namespace, so it binds per cell even where all cells share one host user.
    exact(resource.RLIMIT_NPROC, limits["pids"])
    exact(resource.RLIMIT_NICE, 0)
    exact(resource.RLIMIT_RTPRIO, 0)
    exact(resource.RLIMIT_MEMLOCK, 64 * 1024)
    if soft_memory is not None:
        exact(resource.RLIMIT_DATA, soft_memory)


def lower(pid, limits):
    """The same for a process that runs already: it was made before anybody said what its cell may use."""
    for which, value in ((resource.RLIMIT_NOFILE, limits["open_files"]), (resource.RLIMIT_NPROC, limits["pids"])):
        try:
            hard = resource.prlimit(pid, which)[1]
            if hard == resource.RLIM_INFINITY or value < hard:
                resource.prlimit(pid, which, (value, value))
        except ProcessLookupError:
            return


def exact(which, value):
    """Sets both limits, or the lower of the value and the hard limit where raising it is not permitted."""
    hard = resource.getrlimit(which)[1]
    if hard != resource.RLIM_INFINITY and value > hard:
        value = hard
    resource.setrlimit(which, (value, value))
