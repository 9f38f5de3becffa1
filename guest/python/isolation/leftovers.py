"""Groups of engines: marked as in use for as long as their launcher lives, and removed by the next one when it does not.

The mark is a lock (flock) on the group's directory itself. The kernel gives it back when the last process that holds it dies, however it
dies, so no list of live engines can be wrong; it needs no file anywhere else and reaches exactly as far as the hierarchy does.
"""

import fcntl
import os
import time

from . import cgroups

PREFIX = "cove-engine-"

# Who may not read a directory cannot open it, and so cannot lock it either; cells' groups below are found by name.
_MODE = 0o711


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
