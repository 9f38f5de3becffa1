"""Listing folders, sorted, to a depth, without following any link on the way down."""

import heapq
import os

from . import names
from .tree import Descriptor, describe

DEFAULT_LIMIT = 10_000
MAX_LIMIT = 100_000
MAX_DEPTH = 64
# A guest chooses the names: 10,000 of 255 bytes, each at the end of a long path, would be hundreds of megabytes.
MAX_BYTES = 16 << 20
MAX_PATH = 4096
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Listing:
    """The entries beneath an open folder, parents before children, and whether there were more."""

    def __init__(self, limit):
        self.limit = limit
        self.entries = []
        self.truncated = False
        self._bytes = 0

    def read(self, folder, path, depth):
        room = self.limit - len(self.entries)
        with os.scandir(folder) as found:
            # One more than there is room for tells that something is missing; the rest is never held.
            chosen = heapq.nsmallest(room + 1, (os.fsencode(entry.name) for entry in found))
        for name in chosen:
            if len(self.entries) >= self.limit or self._bytes > MAX_BYTES:
                self.truncated = True
                return
            below = path + b"/" + name
            try:
                status = os.stat(name, dir_fd=folder, follow_symlinks=False)
                target = os.readlink(name, dir_fd=folder) if status.st_mode & 0o170000 == 0o120000 else None
            except OSError:
                continue  # Gone since the folder was read, or replaced.
            entry = describe(below, status, target)
            self.entries.append(entry)
            self._bytes += 200 + 3 * len(below)  # an estimate of its encoded size: a byte that is no UTF-8 takes three
            if depth > 1 and entry["type"] == "directory" and len(below) < MAX_PATH:
                self._descend(folder, name, below, depth - 1, status.st_dev)

    def _descend(self, folder, name, path, depth, device):
        try:
            fd = os.open(name, FOLDER, dir_fd=folder)
        except OSError:
            return  # Not ours to read, or no folder any more; its own entry is listed.
        with Descriptor(fd):
            if os.fstat(fd).st_dev == device:
                self.read(fd, path, depth)


def of(tree, parts, depth, limit):
    listing = Listing(limit)
    with Descriptor(tree.directory(parts)) as fd:
        listing.read(fd, names.absolute(parts), depth)
    return listing


def pages(entries, size_of, room):
    """Cut entries into lists whose encoded sizes stay below `room`; at least one list."""
    page, used = [], 0
    for entry in entries:
        size = size_of(entry) + 1
        if page and used + size > room:
            yield page
            page, used = [], 0
        page.append(entry)
        used += size
    yield page
