"""Room to report in when guest code has filled the memory.

The reserve is a private mapping that nobody touches: RLIMIT_DATA counts it, memory it costs none (a bytearray would be
zeroed, and with it 4 MB of every sandbox). Giving it back is what lets the report of a MemoryError allocate.
"""
from .own import BUILTINS as __builtins__

import gc
import mmap
import traceback

# Largest first: after a report the allocator keeps some of what it was given, and a smaller reserve still serves.
SIZES = (4 << 20, 3 << 20, 2 << 20, 1 << 20)

_mmap, _private = mmap.mmap, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
_reserve = None
_clear_frames = traceback.clear_frames


def release():
    """Needs no memory itself."""
    global _reserve
    if _reserve is not None:
        _reserve.close()
        _reserve = None


def make_room(error):
    """The frames of a traceback hold what filled the memory; its lines stay readable without their variables."""
    _clear_frames(error.__traceback__)
    gc.collect()


def restock():
    global _reserve
    if _reserve is None:
        for size in SIZES:
            try:
                _reserve = _mmap(-1, size, _private)
                return
            except (OSError, MemoryError):
                continue  # the namespace itself is full
