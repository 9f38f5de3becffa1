"""Killing one process tree of a cell without waiting for it.

What a tree takes to die is up to the guest: a hundred processes at a hundredth of a processor need seconds. The launcher serves all
sandboxes, so it kills in steps between requests, and tells the end of the killed process when its whole tree is gone.
"""

import os
import select
import signal
import time

from isolation import syscalls

# Below the engine's own patience with a kill (5 s), after which it gives up the whole sandbox.
_LEAF_SECONDS = 4.0
_SWEEP_SECONDS = 1.0


class LeafKill:
    """With control groups: the tree is a group of its own. Nothing else of the cell has to wait for it."""

    holds_starts = False

    def __init__(self, group, leaf):
        self._group = group
        self._leaf = leaf
        self._deadline = time.monotonic() + _LEAF_SECONDS
        group.close_leaf(leaf)

    def step(self):
        """Whether it is over: all are dead, or all have been told to die and the kernel takes its time."""
        try:
            return not self._group.kill_leaf(self._leaf) or time.monotonic() > self._deadline
        except OSError:
            return True  # the group went with its cell


class Sweep:
    """Without control groups: a child inside the PID namespace signals all it can see, which is all but PID 1 and itself.

    What the engine starts meanwhile waits, or it would be killed too. The guest may stop the child (without groups there are often no ids
    of the cell's own either); a cell that fights like that goes as a whole.
    """

    holds_starts = True

    def __init__(self, launcher, cell):
        self._cell = cell
        self._deadline = time.monotonic() + _SWEEP_SECONDS
        self._pid = launcher.entry.fork(cell.stem_pidfd)
        if self._pid == 0:
            _kill_all()
        self._pidfd = syscalls.pidfd_open(self._pid)
        self._ended = select.poll()
        self._ended.register(self._pidfd, select.POLLIN)
        launcher.children.add(self._pid, lambda *_: None)

    def step(self):
        if not self._ended.poll(0):
            if time.monotonic() <= self._deadline:
                return False
            syscalls.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            self._cell.kill()
        os.close(self._pidfd)
        return True


def _kill_all():
    try:
        for _ in range(3):  # a fork bomb may have made one more between the kernel's walk and its end
            os.kill(-1, signal.SIGKILL)
    except OSError:
        pass
    os._exit(0)


class Kills:
    """The kills in progress in one cell, and what waits for their end."""

    def __init__(self, launcher):
        self._launcher = launcher
        self._running = {}   # process -> its kill
        self._ends = {}      # process -> what to do once its tree is gone
        self._starts = []    # requests

    def __bool__(self):
        return bool(self._running)

    def begin(self, process, kill):
        self._running[process] = kill
        self.step()

    def has(self, process):
        return process in self._running

    def when_gone(self, process, action):
        """Runs `action` when the tree of `process` is gone; at once where none is being killed."""
        if process in self._running:
            self._ends[process] = action
        else:
            action()

    def hold(self, request, descriptors):
        """Keeps a request for later where a sweep would kill what it starts; returns whether it did."""
        if not any(kill.holds_starts for kill in self._running.values()):
            return False
        self._starts.append((request, descriptors))
        return True

    def step(self):
        for process, kill in list(self._running.items()):
            if kill.step():
                self._over(process)
        if self._starts and not any(kill.holds_starts for kill in self._running.values()):
            starts, self._starts = self._starts, []
            for request, descriptors in starts:
                self._launcher.serve(request, descriptors)

    def _over(self, process):
        del self._running[process]
        action = self._ends.pop(process, None)
        if action:
            action()
