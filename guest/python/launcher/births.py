"""Making a cell together with its Python kernel.

The two take about as long as each other: one process builds the boundary while the zygote forks the kernel, which then waits at a gate
until the boundary stands.
"""

import os
import socket

from isolation import cell as building

from . import cells, requests
from .requests import Refused


class _Birth:
    """Answers the engine when both halves are done; when one fails, the other goes with it."""

    def __init__(self, launcher, request, cell):
        self._launcher = launcher
        self._request = request
        self._cell = cell
        self._missing = {"boundary", "kernel"}
        self._failed = False

    def done(self, half, error=None):
        self._missing.discard(half)
        if self._failed:
            return
        if error:
            self._failed = True
            self._cell.kill()
            self._launcher.refuse(self._request, error.code, str(error))
        elif not self._missing:
            self._launcher.answer(self._request, files=self._cell.group.files() if self._cell.group else {})


def create(launcher, request, descriptors):
    """Descriptors: the kernel's end of its control link."""
    control, = requests.descriptors(descriptors, 1)
    name = requests.name(request, "cell")
    process = requests.number(request, "process", 1, 1 << 53)
    limits = requests.limits(request)
    template = launcher.templates.get(requests.name(request, "template"))
    if template is None:
        raise Refused("template_failed", f"template {request['template']} was not prepared")
    if name in launcher.cells:
        raise Refused("bad_request", f"cell {name} exists")
    cell = cells.Cell(launcher, name, template, limits)
    try:
        zygote = cells.zygote_of(cell)
        cell.make_group()
        plan = building.Plan(cell.host_id, _stem_join(launcher, cell), limits, template.system_root, launcher.place.staging, template.masks, launcher.stem_executable)
        cell.stem_pid, cell.stem_pidfd, link = building.start(plan)
    except (OSError, Refused):
        cell.try_remove()
        raise
    birth = _Birth(launcher, request, cell)
    launcher.cells[name] = cell
    launcher.children.add(cell.stem_pid, cell.stem_ended)
    waiting, gate = os.pipe2(os.O_CLOEXEC)
    launcher.watch(link, lambda: _built(launcher, cell, link, gate, birth))
    try:
        zygote.spawn(cell, process, control, waiting, lambda error: birth.done("kernel", error))
    except OSError as error:
        birth.done("kernel", Refused("zygote_gone", str(error)))
    os.close(waiting)
    os.close(control)


def _stem_join(launcher, cell):
    """Under v1 the stem is in the cell's own group, which its cgroup namespace then shows as the root; v2 allows members in leaves only."""
    if cell.group is None:
        return []
    return cell.new_leaf()[1] if launcher.tree.version == 2 else cell.group.open_join(None)


def _built(launcher, cell, link, gate, birth):
    try:
        data, received, _, _ = socket.recv_fds(link, 4096, 1)
    except OSError:
        data, received = b"", []  # it was killed before it read its first byte: the kernel says so by a reset
    if data.startswith(b"t") and cell.tree is None and not cell.removed:
        cell.tree = received[0]
        os.set_inheritable(cell.tree, False)
        data = data[1:]
        if not data:
            return  # the stem is about to be executed; the link's end says that it was
    launcher.forget(link)
    link.close()
    if data or cell.tree is None or cell.dead:
        said = data[1:].decode(errors="replace") or "the process ended"
        birth.done("boundary", Refused("host_error", f"the boundary could not be drawn: {said}"))
    else:
        try:
            os.write(gate, b"g")
        except BrokenPipeError:
            pass  # the kernel at the gate is gone, and its end is told as any other
        birth.done("boundary")
    os.close(gate)  # without the byte: the kernel at the gate leaves
