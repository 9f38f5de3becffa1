"""Who a cell is on the host: one unprivileged id, mapped to the sandbox's user 1000 and to nobody else."""

import fcntl
import os
import secrets

USER = 1000
FIRST = 0x70000000  # 1,879,048,192: far above what distributions, subordinate ids (100000+) and systemd's ranges use
PER_ENGINE = 65536
ENGINES = 128
ENGINES_OF_A_USER = 8  # of an ordinary user's 65,536 subordinate ids each engine gets an eighth


def write_maps(pid, host_id):
    """Gives a child in a new user namespace its only id. Root is not mapped at all: no setuid program could gain anything."""
    for name in ("uid_map", "gid_map"):
        with open(f"/proc/{pid}/{name}", "w", encoding="ascii") as file:
            file.write(f"{USER} {host_id} 1\n")


class HostIds:
    """Hands out host ids; each is used by one cell at a time."""

    def __init__(self, first, count, shared):
        self._shared = first if shared else None
        self._free = list(range(first, first + count)) if not shared else []

    def take(self):
        if self._shared is not None:
            return self._shared
        if not self._free:
            raise OSError("no host id is free: every one of this engine's range is used by a live cell")
        # A cell can read its own (/proc/self/uid_map): taken in order, it would tell how many cells there are.
        index = secrets.randbelow(len(self._free))
        self._free[index], self._free[-1] = self._free[-1], self._free[index]
        return self._free.pop()

    def give_back(self, host_id):
        if self._shared is None:
            self._free.append(host_id)


def lease(directory, start, share, most):
    """Takes a range of host ids that no other engine on this host has, for as long as the returned descriptor is open."""
    os.makedirs(directory, mode=0o700, exist_ok=True)
    for number in range(most):
        descriptor = os.open(f"{directory}/{number}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            continue
        return start + number * share, share, descriptor
    raise OSError(f"all {most} ranges of host ids in {directory} are in use by other engines")
