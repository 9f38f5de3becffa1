"""Finding where on this host the engine may make its control groups."""

import os

from . import cgroups, leftovers

_WANTED = (cgroups.MEMORY, cgroups.CPU, cgroups.PIDS)


def _own_groups(text):
    """/proc/self/cgroup: controller ('' for v2) -> path."""
    groups = {}
    for line in text.splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            groups[controller] = path
    return groups


def mounted(text):
    """/proc/self/mountinfo: controller ('' for v2) -> (mount point, root of the mount)."""
    found = {}
    for line in text.splitlines():
        left, _, right = line.partition(" - ")
        root, point = left.split()[3:5]
        kind, _, options = right.split()[:3]
        if kind == "cgroup2":
            found.setdefault("", (point, root))
        elif kind == "cgroup":
            for option in options.split(","):
                found.setdefault(option, (point, root))
    return found


def _directory(mount, path):
    point, root = mount
    inside = os.path.relpath(path, root) if path.startswith(root) else "."
    return os.path.normpath(os.path.join(point, inside))


def usable(directory):
    return os.path.isdir(directory) and os.access(directory, os.W_OK) and os.access(f"{directory}/cgroup.procs", os.W_OK)


def mount_points():
    """Where the hierarchies that matter are mounted; outer ones first."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        mounts = mounted(file.read())
    return sorted({mounts[c][0] for c in ("", *_WANTED, cgroups.CPU_ACCOUNTING) if c in mounts})


def find(delegated=None, proc="/proc/self"):
    """Candidate directories: (version, {controller: directory}); directories may be read-only for this user.

    `delegated` is the name of a group prepared for this user; it is looked for below the own group, then at the top of each tree.
    """
    with open(f"{proc}/cgroup", encoding="utf-8") as file:
        own = _own_groups(file.read())
    with open(f"{proc}/mountinfo", encoding="utf-8") as file:
        mounts = mounted(file.read())
    if "" in mounts:
        place = _place_v2(mounts[""], own.get("", "/"), delegated)
        offered = _controllers_v2(place)
        if cgroups.MEMORY in offered or cgroups.PIDS in offered:
            return 2, {c: place for c in _WANTED if c in offered}
    wanted = (*_WANTED, cgroups.CPU_ACCOUNTING)
    return 1, {c: _place(mounts[c], own.get(c, "/"), delegated) for c in wanted if c in mounts}


def _place(mount, own, delegated):
    directory = _directory(mount, own)
    for base in (directory, mount[0]):
        if delegated and os.path.isdir(f"{base}/{delegated}"):
            return f"{base}/{delegated}"
    return directory


def _place_v2(mount, own, delegated):
    """A group with members (the own one has at least this process) can give its children no controllers; the top can, where this user may use it."""
    place = _place(mount, own, delegated)
    return mount[0] if _has_members(place) and usable(mount[0]) else place


def _has_members(directory):
    try:
        with open(f"{directory}/cgroup.procs", encoding="ascii") as file:
            return bool(file.read(1))
    except OSError:
        return False


def _controllers_v2(directory):
    try:
        with open(f"{directory}/cgroup.controllers", encoding="ascii") as file:
            return file.read().split()
    except OSError:
        return []


def claim(engine, delegated=None, found=None):
    """Makes this engine's groups. Returns (tree or None, controllers that could not be had, directories made)."""
    version, places = found or find(delegated)
    ours = {c: d for c, d in places.items() if usable(d)}
    missing = [c for c in _WANTED if c not in ours]
    if not ours:
        return None, missing, []
    made = []
    if version == 2:
        base = leftovers.make(next(iter(ours.values())), engine)
        made.append(base)
        granted = _delegate_v2(os.path.dirname(base), base, ours)
        missing = [c for c in _WANTED if c not in granted]
        return cgroups.V2(base, granted), missing, made
    at = {place: leftovers.make(place, engine) for place in sorted(set(ours.values()))}  # cpu and cpuacct often share one
    made.extend(at.values())
    bases = {controller: at[place] for controller, place in ours.items()}
    if cgroups.PIDS not in bases:
        # Without the pids tree there is nowhere to put leaves; a tree is then killed through the PID namespace.
        missing = sorted({*missing, cgroups.PIDS})
    return cgroups.V1(bases), missing, made


def _delegate_v2(parent, base, wanted):
    granted = []
    for controller in wanted:
        try:
            for directory in (parent, base):
                with open(f"{directory}/cgroup.subtree_control", "w", encoding="ascii") as file:
                    file.write(f"+{controller}")
            granted.append(controller)
        except OSError:
            continue
    return granted


def reap_dead(delegated=None, found=None, recorded=()):
    """Removes the groups of engines that no longer run: where this one makes its own, and those that are `recorded`. Returns those that are not empty yet."""
    _, places = found or find(delegated)
    left = leftovers.reap(places.values())
    return list(dict.fromkeys([*left, *leftovers.reap_recorded(recorded, mount_points())]))
