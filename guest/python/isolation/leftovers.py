"""Groups of engines: marked as in use for as long as their launcher lives, and removed by the next one when it does not.

The mark is a lock (flock) on the group's directory itself. The kernel gives it back when the last process that holds it dies, however it
dies, so no list of live engines can be wrong; it needs no file anywhere else and reaches exactly as far as the hierarchy does.

A dead engine's groups are looked for where this one makes its own. An engine that was started elsewhere (from another session or unit) made
them elsewhere; so that nobody has to walk the whole hierarchy, each writes their names into the file of its lease, where the next one reads
them. A name is no proof of anything: what it leads to has to be a group of this user's, called as ours are, unlocked and empty.
"""

import fcntl
import os
import time

from . import cgroups

PREFIX = "cove-engine-"

# Who may not read a directory cannot open it, and so cannot lock it either; cells' groups below are found by name.
_MODE = 0o711

_LONGEST_RECORD = 64 << 10
_MOST_RECORDED = 64


def make(place, engine):
    """Makes the engine's group in `place` and marks it. Its lock is held on an open descriptor that nothing ever closes."""
    directory = f"{place}/{PREFIX}{engine}"
    while True:
        os.mkdir(directory, _MODE)
        try:
            lock = _open(directory)
        except FileNotFoundError:
            continue  # another engine's start-up took it for a leftover in the moment before the lock
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(lock), os.stat(directory)):
                return directory
        except (BlockingIOError, FileNotFoundError):
            pass
        os.close(lock)


def reap(places, patience=1.0):
    """Removes what dead engines left in these directories. Returns what could not be removed yet: its members are still dying."""
    left = [path for place in sorted(set(places)) for path in _groups(place)]
    deadline = time.monotonic() + patience
    while True:
        left = [path for path in left if not _reap(path)]
        if not left or time.monotonic() >= deadline:
            return left
        time.sleep(0.005)


def record(lease, groups):
    """Writes the names of groups into the file of a lease, open as `lease`. Without them, only who looks in the same place finds the groups."""
    text = "".join(f"{group}\n" for group in groups[:_MOST_RECORDED]).encode()[:_LONGEST_RECORD]
    try:
        os.pwrite(lease, text, 0)
        os.ftruncate(lease, len(text))
    except OSError:
        pass


def recorded(leases):
    """The names in all leases of a directory, those of live engines too."""
    groups = {}
    for name in _lease_files(leases):
        try:
            file = os.open(f"{leases}/{name}", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            groups |= dict.fromkeys(os.read(file, _LONGEST_RECORD).decode("utf-8", "replace").split("\n")[:_MOST_RECORDED])
        except OSError:
            continue
        finally:
            os.close(file)
    return [group for group in groups if group]


def reap_recorded(groups, points):
    """Removes those that dead engines left, wherever below these mount points they are. Returns what could not be removed yet."""
    return [group for group in groups if _is_name_of_ours(group, points) and _is_own(group) and not _reap(group)]


def _lease_files(directory):
    try:
        return sorted(name for name in os.listdir(directory) if name.endswith(".lock"))
    except OSError:
        return []


def _is_name_of_ours(path, points):
    return (os.path.basename(path).startswith(PREFIX) and "\0" not in path and os.path.normpath(path) == path
            and any(path.startswith(f"{point}/") for point in points))


def _is_own(path):
    try:
        return os.stat(path, follow_symlinks=False).st_uid == os.geteuid()
    except OSError:
        return False


def _groups(place):
    try:
        with os.scandir(place) as entries:
            return sorted(e.path for e in entries if e.name.startswith(PREFIX) and e.is_dir(follow_symlinks=False))
    except OSError:
        return []


def _reap(directory):
    """True when there is nothing (more) to do: it is gone, its engine lives, or it is another user's."""
    try:
        lock = _open(directory)
    except OSError:
        return True
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return cgroups.remove(directory)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)


def _open(directory):
    return os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
