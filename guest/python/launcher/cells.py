"""Cells on the launcher's side: what they are, and starting processes in them."""

import os
import signal

from isolation import cgroups, enter, rlimits, syscalls

from . import kills, processes, requests, wire
from .requests import Refused

_SIGNALS = {"interrupt": signal.SIGINT, "terminate": signal.SIGTERM, "kill": signal.SIGKILL}


class Cell:
    """One live boundary."""

    def __init__(self, launcher, name, template, limits):
        self._launcher = launcher
        self.name = name
        self.template = template
        self.limits = limits
        self.host_id = launcher.ids.take()
        self.group = None
        self.stem_pid = None
        self.stem_pidfd = None
        self.tree = None            # descriptor of the writable files
        self.processes = {}         # process -> _Process
        self.kills = kills.Kills(launcher)
        self.dead = False
        self.removing = False
        self.removed = False
        self.waiting = []           # destroy requests to answer when the stem has ended
        self.workers = set()

    def make_group(self):
        if self._launcher.tree:
            self.group = self._launcher.tree.make(self.name, self.limits)

    def new_leaf(self):
        """A sub-group for one process tree and the descriptors to join it by."""
        if self.group is None or cgroups.PIDS not in self._launcher.tree.controllers and self._launcher.tree.version == 1:
            return None, self.group.open_join(None) if self.group else []
        leaf = self.group.add_leaf()
        return leaf, self.group.open_join(leaf)

    def door(self, soft_memory):
        leaf, join = self.new_leaf()
        return leaf, enter.Door(self.stem_pidfd, join, self.limits, soft_memory, self._launcher.filter, self._launcher.landlock_abi)

    def started(self, process, pid, pidfd, leaf):
        if self.removed:
            os.close(pidfd)  # the cell ended while this process was on its way into it
        else:
            self.processes[process] = _Process(pid, pidfd, leaf)

    def lower_limits(self, limits):
        """For what runs already; what starts later takes the cell's limits as it enters."""
        self.limits = limits
        for process in self.processes.values():
            try:
                rlimits.lower(process.pid, limits)
            except ProcessLookupError:
                pass

    def ended(self, process, code, number):
        """Tells the end; of a process that was killed with its tree, when the tree is gone too."""
        leaf = self._forget(process)

        def tell():
            if leaf and not self.dead:
                self.group.remove_leaf(leaf)
            self._launcher.tell(event="exit", process=process, code=code, signal=number)

        self.kills.when_gone(process, tell)

    def unseen(self, process):
        """Nobody can see this process's end any more: it is ended, and said to have ended so."""
        if not self.dead:
            self.kill_tree(process)
        self.ended(process, None, None)

    def _forget(self, process):
        """From here on its number may name a stranger. Returns its leaf."""
        ended = self.processes.pop(process, None)
        if ended is None:
            return None
        os.close(ended.pidfd)
        return ended.leaf

    def signal(self, process, number):
        """Returns whether it was there to be told."""
        return process in self.processes and _signal(self.processes[process].pidfd, number)

    def kill_tree(self, process):
        if process not in self.processes or self.dead or self.kills.has(process):
            return  # where the whole cell is dying there is no tree to tell apart, and perhaps no group any more
        leaf = self.processes[process].leaf
        self.signal(process, signal.SIGKILL)
        # Without control groups the tree cannot be told from the rest, so everything in the cell but its stem goes.
        self.kills.begin(process, kills.LeafKill(self.group, leaf) if leaf else kills.Sweep(self._launcher, self))

    def kill(self):
        """Ends everything inside; the kernel does it, by ending PID 1 of the cell's PID namespace. Returns whether that was told."""
        self.dead = True
        for process in self.processes.values():
            process.step_aside()
        for worker in self.workers:
            try:
                os.kill(worker, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return self.stem_pidfd is not None and _signal(self.stem_pidfd, signal.SIGKILL)

    def kill_members(self, stem_told):
        """Kills each process by itself as well, so that none runs on until the stem's end reaches it. Returns whether all could be named."""
        told = {str(self.stem_pid): self.stem_pidfd} if stem_told else {}
        for name, process in list(self.processes.items()):
            if self.signal(name, signal.SIGKILL):  # one that is just entering is in no group yet
                told[str(process.pid)] = process.pidfd
        if self.group is None:
            return False
        try:
            self.group.kill(told)
        except OSError:
            return False
        return True

    def stem_ended(self, *_):
        """The kernel tells the end of a PID 1 when all else in its namespace is gone."""
        self._launcher.tell(event="cell_died", cell=self.name)
        self.dead = True
        self.removing = True
        for request in self.waiting:
            self._launcher.answer(request, freed=False)

    def try_remove(self):
        """Frees what the host held. False while the kernel has not yet let go of the last member."""
        if self.group and not self.group.remove():
            return False
        pidfds = [process.pidfd for process in self.processes.values()]
        self.processes.clear()  # their ends are still told when the zygote reports them
        for descriptor in (self.stem_pidfd, self.tree, *pidfds):
            if descriptor is not None:
                os.close(descriptor)
        self.removed = True
        self.stem_pidfd = self.tree = None  # their numbers may soon name something else
        self._launcher.ids.give_back(self.host_id)
        return True


def _signal(pidfd, number):
    try:
        syscalls.pidfd_send_signal(pidfd, number)
    except ProcessLookupError:
        return False
    return True


class _Process:
    """
    A process of a cell that the engine knows. Signals go by its pidfd. Its number may name another of this launcher's processes for a moment,
    between a zygote's reaping it and the word of that: what goes by number (limits, scheduling) only ever takes away.
    """

    def __init__(self, pid, pidfd, leaf):
        self.pid = pid
        self.pidfd = pidfd
        self.leaf = leaf

    def step_aside(self):
        """
        Giving back its memory takes a dying process some milliseconds, in which the kernel may let nobody else run. The answer for the kill
        sets out from here, so its first thread (a kernel's only one, unless guest code made more) dies elsewhere, and lets others first there.
        """
        for step in (syscalls.let_others_first, syscalls.keep_off_this_processor):
            try:
                step(self.pid)
            except OSError:
                pass  # gone, or (without privilege) not ours to change


def find(launcher, request):
    cell = launcher.cells.get(requests.name(request, "cell"))
    if cell is None or cell.dead:
        raise Refused("cell_gone", f"cell {request['cell']} is not there (any more)")
    return cell


def zygote_of(cell):
    if cell.template.zygote is None:
        raise Refused("zygote_gone", f"the zygote of template {cell.template.name} is not there")
    return cell.template.zygote


def answer_or_refuse(launcher, request, error, **fields):
    if error:
        launcher.refuse(request, error.code, str(error))
    else:
        launcher.answer(request, **fields)


def set_limits(launcher, request, descriptors):
    requests.descriptors(descriptors, 0)
    cell, limits = find(launcher, request), requests.limits(request)
    if cell.group:
        cell.group.set_limits(limits)
    if (limits["disk_bytes"], limits["inodes"]) != (cell.limits["disk_bytes"], cell.limits["inodes"]):
        processes.resize_tmpfs(cell.tree, limits["disk_bytes"], limits["inodes"])
    cell.lower_limits(limits)
    launcher.answer(request)


def start_kernel(launcher, request, descriptors):
    """Descriptors: the kernel's end of its control link."""
    control, = requests.descriptors(descriptors, 1)
    cell = find(launcher, request)
    if cell.kills.hold(request, descriptors):
        return
    process = requests.number(request, "process", 1, 1 << 53)
    language = requests.one_of(request, "language", ("python", "bash", "javascript"))
    if language == "python":
        zygote_of(cell).spawn(cell, process, control, None, lambda error: answer_or_refuse(launcher, request, error))
        os.close(control)
        return
    memory = None if language == "javascript" else processes.soft_memory(cell.limits)
    _start(launcher, request, cell, process, memory, lambda door: processes.start_shim(launcher, door, control, language))
    os.close(control)


def start_command(launcher, request, descriptors):
    """Descriptors: the command's stdin, stdout and stderr."""
    requests.descriptors(descriptors, 3)
    cell = find(launcher, request)
    if cell.kills.hold(request, descriptors):
        return
    process = requests.number(request, "process", 1, 1 << 53)
    command = _command(request)
    memory = processes.soft_memory(cell.limits)
    _start(launcher, request, cell, process, memory, lambda door: processes.start_command(launcher, door, descriptors, *command))
    wire.close_all(descriptors)


def start_terminal(launcher, request, descriptors):
    """Descriptors: where the host's end of the terminal is sent to."""
    link, = requests.descriptors(descriptors, 1)
    cell = find(launcher, request)
    process = requests.number(request, "process", 1, 1 << 53)
    command = _command(request)
    size = [requests.number(request, field, 1, 1000) for field in ("columns", "rows")]
    memory = processes.soft_memory(cell.limits)
    _start(launcher, request, cell, process, memory, lambda door: processes.start_terminal(launcher, door, link, command, *size))
    os.close(link)


def _command(request):
    argv = requests.strings(request, "argv")
    if not argv:
        raise Refused("bad_request", "argv is empty")
    return argv, requests.text(request, "directory"), requests.environment(request)


def _start(launcher, request, cell, process, memory, fork):
    leaf, door = cell.door(memory)
    try:
        pid = fork(door)
    except OSError:
        if leaf:
            cell.group.remove_leaf(leaf)
        raise
    finally:
        wire.close_all(door.join)
    cell.started(process, pid, syscalls.pidfd_open(pid), leaf)
    launcher.children.add(pid, lambda code, number: cell.ended(process, code, number))
    launcher.answer(request)


def start_files(launcher, request, descriptors):
    """Descriptors: the worker's end of its link."""
    link, = requests.descriptors(descriptors, 1)
    cell = find(launcher, request)
    pid = processes.start_files(cell, link)
    os.close(link)
    cell.workers.add(pid)
    launcher.children.add(pid, lambda *_: cell.workers.discard(pid))
    launcher.answer(request)


def send_signal(launcher, request, descriptors):
    requests.descriptors(descriptors, 0)
    cell = find(launcher, request)
    process = requests.number(request, "process", 1, 1 << 53)
    kind = requests.one_of(request, "signal", ("interrupt", "terminate", "kill_tree"))
    if kind == "kill_tree":
        cell.kill_tree(process)
    else:
        cell.signal(process, _SIGNALS[kind])
    launcher.answer(request)
