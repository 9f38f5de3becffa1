"""The ends of cells: killing them for the engine, and freeing what the host held once the kernel lets go of it."""

import time

from isolation import cgroups

from . import requests


def destroy(launcher, request, descriptors):
    """
    Answers when nothing in the cell will run again: all its processes were sent SIGKILL or, where no group names them, are dead. The rest of
    their dying and the host's side follow; `cell_freed` says when that is over, and `freed` that it is already.
    """
    requests.descriptors(descriptors, 0)
    cell = launcher.cells.get(requests.name(request, "cell"))
    if cell is None:
        launcher.answer(request, freed=True)
        return
    stem_told = cell.kill()
    if cell.removing or cell.kill_members(stem_told):
        launcher.answer(request, freed=False)
    else:
        cell.waiting.append(request)


def go_on(launcher):
    """What takes its time and is done in steps: kills of trees, removals of cells."""
    for cell in [c for c in launcher.cells.values() if c.kills]:
        cell.kills.step()
    for cell in [c for c in launcher.cells.values() if c.removing and not c.kills]:
        if cell.try_remove():
            del launcher.cells[cell.name]
            launcher.tell(event="cell_freed", cell=cell.name)


def remove_groups(launcher, groups):
    """At the very end: waits for the kernel to empty the groups of killed cells, but not for ever."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        launcher.children.reap()
        if all([cgroups.remove(group) for group in groups]):
            return
        time.sleep(0.005)
