"""Control groups: one group per cell for its limits, and below it one per process tree so that a tree can be killed whole.

Two hierarchies are known, v1 (one tree per controller) and v2. The engine's groups are made below the group it was started in
(or below the one delegated to it); what else the machine has is left alone.
"""

import os
import signal

from . import syscalls

MEMORY, CPU, PIDS, CPU_ACCOUNTING = "memory", "cpu", "pids", "cpuacct"


# Without file objects: for files of some bytes those cost three system calls more, and several are read while a caller waits for a kill.
def _write(directory, name, text):
    descriptor = os.open(f"{directory}/{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        os.write(descriptor, str(text).encode("ascii"))
    finally:
        os.close(descriptor)


def _read(directory, name):
    descriptor = os.open(f"{directory}/{name}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        pieces = []
        while piece := os.read(descriptor, 65536):
            pieces.append(piece)
    finally:
        os.close(descriptor)
    return b"".join(pieces).decode("ascii")


def remove(directory):
    """Removes an empty group and those below it. Returns False while something still lives in it."""
    try:
        for entry in os.scandir(directory):
            if entry.is_dir(follow_symlinks=False) and not remove(entry.path):
                return False
        os.rmdir(directory)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def _kill_members(directory, told=None):
    """One round of SIGKILL to what is in the group now, but for whom `told` says has it already; returns whether anything was."""
    words = _read(directory, "cgroup.procs").split()
    others = [word for word in words if not (told and word in told and _is_there(told[word]))]
    for start in range(0, len(others), 256):
        _kill_batch(directory, others[start:start + 256])
    return bool(words)


def _is_there(pidfd):
    """Whether the process of a descriptor is not reaped: then its number, read before, was nobody else's."""
    try:
        syscalls.pidfd_send_signal(pidfd, 0)
    except OSError:
        return False
    return True


def _kill_batch(directory, words):
    held = {}
    try:
        for word in words:
            try:
                held[word] = syscalls.pidfd_open(int(word))
            except OSError:
                continue
        # The descriptors are held first, the membership read again after: a number cannot have passed to a stranger between.
        for word in held.keys() & set(_read(directory, "cgroup.procs").split()):
            try:
                syscalls.pidfd_send_signal(held[word], signal.SIGKILL)
            except OSError:
                pass
    finally:
        for pidfd in held.values():
            os.close(pidfd)


class Group:
    """One cell's group(s)."""

    def __init__(self, tree, name):
        self._tree = tree
        self.name = name
        self._next_leaf = 0
        self._leaves = set()
        self._left = set()  # of those whose process ended while a child of it lived on

    def set_limits(self, limits):
        self._tree.set_limits(self.name, limits)

    def add_leaf(self):
        """A new sub-group for one process tree; returns its name."""
        left, self._left = self._left, set()
        for old in left:
            self.remove_leaf(old)
        self._next_leaf += 1
        leaf = f"t{self._next_leaf}"
        self._tree.make_leaf(self.name, leaf)
        self._leaves.add(leaf)
        return leaf

    def open_join(self, leaf):
        """Descriptors a process writes "0" to in order to join the group and the leaf."""
        return self._tree.open_join(self.name, leaf)

    def close_leaf(self, leaf):
        """No more forks in this tree, where the hierarchy can say so."""
        self._tree.close_leaf(self.name, leaf)

    def kill_leaf(self, leaf):
        """One round of SIGKILL to the whole tree; returns whether anything was still there. To be repeated until not."""
        return self._tree.kill_leaf(self.name, leaf)

    def remove_leaf(self, leaf):
        if remove(self._tree.leaf_directory(self.name, leaf)):
            self._leaves.discard(leaf)
        else:
            self._left.add(leaf)

    def kill(self, told):
        """
        SIGKILL to every member, once, with no more forks in the trees where the hierarchy can say so. `told` has the processes that have been sent it,
        their descriptors by number: a caller waits, and to find out again who they are takes as long as all the rest.
        """
        self._tree.kill(self.name, list(self._leaves), told)

    def remove(self):
        return self._tree.remove(self.name)

    def files(self):
        """Where the engine reads usage: name of the number to path."""
        return self._tree.files(self.name)


def join(descriptors):
    for descriptor in descriptors:
        os.write(descriptor, b"0")
        os.close(descriptor)


def _limited(group, limits):
    try:
        group.set_limits(limits)
    except OSError:
        group.remove()
        raise
    return group


class V1:
    """One tree per controller. Leaves are made in the pids tree: it counts, so closing it to forks makes a kill final."""

    version = 1

    def __init__(self, bases):
        self._bases = bases  # controller -> directory of this engine
        self._directories = sorted(set(bases.values()))  # cpu and cpuacct often share one
        self.controllers = frozenset(bases)

    def make(self, name, limits):
        for base in self._directories:
            os.mkdir(f"{base}/{name}", 0o755)
        return _limited(Group(self, name), limits)

    def set_limits(self, name, limits):
        if MEMORY in self._bases:
            self._set_memory(f"{self._bases[MEMORY]}/{name}", limits["memory_bytes"])
        if PIDS in self._bases:
            _write(f"{self._bases[PIDS]}/{name}", "pids.max", limits["pids"])
        if CPU in self._bases:
            _write(f"{self._bases[CPU]}/{name}", "cpu.cfs_quota_us", limits["cpu_millis"] * 100)

    @staticmethod
    def _set_memory(directory, value):
        swap = "memory.memsw.limit_in_bytes"
        has_swap_limit = os.path.exists(f"{directory}/{swap}")
        # memory+swap must never be below memory, so the order depends on the direction.
        order = ["memory.limit_in_bytes"] + ([swap] if has_swap_limit else [])
        if has_swap_limit and value > int(_read(directory, "memory.limit_in_bytes")):
            order.reverse()
        for name in order:
            _write(directory, name, value)
        if not has_swap_limit and os.path.exists(f"{directory}/memory.swappiness"):
            _write(directory, "memory.swappiness", 0)  # nothing bounds what would be swapped
        # Version 1 counts socket buffers apart, and only where there is a limit.
        sockets = "memory.kmem.tcp.limit_in_bytes"
        if os.path.exists(f"{directory}/{sockets}"):
            _write(directory, sockets, value // 4)

    def leaf_directory(self, name, leaf):
        return f"{self._bases[PIDS]}/{name}/{leaf}"

    def make_leaf(self, name, leaf):
        os.mkdir(self.leaf_directory(name, leaf), 0o755)

    def open_join(self, name, leaf):
        directories = [self.leaf_directory(name, leaf) if leaf and base == self._bases[PIDS] else f"{base}/{name}" for base in self._directories]
        return [os.open(f"{d}/cgroup.procs", os.O_WRONLY | os.O_CLOEXEC) for d in directories]

    def close_leaf(self, name, leaf):
        _write(self.leaf_directory(name, leaf), "pids.max", 0)  # so that the rounds of killing come to an end

    def kill_leaf(self, name, leaf):
        return _kill_members(self.leaf_directory(name, leaf))

    def kill(self, name, leaves, told):
        _kill_members(f"{self._bases.get(PIDS, self._directories[0])}/{name}", told)
        for leaf in leaves:
            self.close_leaf(name, leaf)
            _kill_members(self.leaf_directory(name, leaf), told)

    def remove(self, name):
        return all([remove(f"{base}/{name}") for base in self._directories])

    def files(self, name):
        files = {}
        if MEMORY in self._bases:
            base = f"{self._bases[MEMORY]}/{name}"
            files |= {"memory": f"{base}/memory.usage_in_bytes", "memory_peak": f"{base}/memory.max_usage_in_bytes",
                      "oom": f"{base}/memory.oom_control"}
        if PIDS in self._bases:
            base = f"{self._bases[PIDS]}/{name}"
            files |= {"pids": f"{base}/pids.current", "pids_events": f"{base}/pids.events"}
        if CPU in self._bases:
            files["cpu_stat"] = f"{self._bases[CPU]}/{name}/cpu.stat"
        if CPU_ACCOUNTING in self._bases:
            files["cpu_nanoseconds"] = f"{self._bases[CPU_ACCOUNTING]}/{name}/cpuacct.usage"
        return files


class V2:
    """The unified tree. A group with controllers for its children may hold no process itself, so all live in leaves."""

    version = 2

    def __init__(self, base, controllers):
        self._base = base
        self.controllers = frozenset(controllers)

    def make(self, name, limits):
        os.mkdir(f"{self._base}/{name}", 0o755)
        return _limited(Group(self, name), limits)

    def set_limits(self, name, limits):
        directory = f"{self._base}/{name}"
        if MEMORY in self.controllers:
            _write(directory, "memory.max", limits["memory_bytes"])
            if os.path.exists(f"{directory}/memory.swap.max"):
                _write(directory, "memory.swap.max", 0)
        if PIDS in self.controllers:
            _write(directory, "pids.max", limits["pids"])
        if CPU in self.controllers:
            _write(directory, "cpu.max", f"{limits['cpu_millis'] * 100} 100000")

    def leaf_directory(self, name, leaf):
        return f"{self._base}/{name}/{leaf}"

    def make_leaf(self, name, leaf):
        os.mkdir(self.leaf_directory(name, leaf), 0o755)

    def open_join(self, name, leaf):
        directory = self.leaf_directory(name, leaf) if leaf else f"{self._base}/{name}"
        return [os.open(f"{directory}/cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)]

    def close_leaf(self, name, leaf):
        """Not needed: cgroup.kill reaches what is being forked too."""

    def kill_leaf(self, name, leaf):
        directory = self.leaf_directory(name, leaf)
        if os.path.exists(f"{directory}/cgroup.kill"):
            _write(directory, "cgroup.kill", 1)
            return bool(_read(directory, "cgroup.procs").strip())
        return _kill_members(directory)

    def kill(self, name, leaves, told):
        directory = f"{self._base}/{name}"
        if os.path.exists(f"{directory}/cgroup.kill"):
            _write(directory, "cgroup.kill", 1)
            return
        for leaf in leaves:
            _kill_members(self.leaf_directory(name, leaf), told)

    def remove(self, name):
        return remove(f"{self._base}/{name}")

    def files(self, name):
        base = f"{self._base}/{name}"
        files = {"cpu_stat": f"{base}/cpu.stat"}
        if MEMORY in self.controllers:
            files |= {"memory": f"{base}/memory.current", "memory_peak": f"{base}/memory.peak", "oom": f"{base}/memory.events"}
        if PIDS in self.controllers:
            files |= {"pids": f"{base}/pids.current", "pids_events": f"{base}/pids.events"}
        return files
