"""Dropping every capability, for good."""

import ctypes

from . import syscalls

_VERSION_3 = 0x20080522
_LAST = 63


class _Header(ctypes.Structure):
    _fields_ = [("version", ctypes.c_uint32), ("pid", ctypes.c_int)]


def drop_bounding_set():
    """Needs CAP_SETPCAP, so it comes before the ids change."""
    for number in range(_LAST + 1):
        try:
            syscalls.prctl(syscalls.PR_CAPBSET_DROP, number)
        except OSError:
            return  # past the last capability this kernel knows


def drop_all():
    syscalls.prctl(syscalls.PR_CAP_AMBIENT, syscalls.PR_CAP_AMBIENT_CLEAR_ALL)
    header = _Header(_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)()
    syscalls.raw(syscalls.CAPSET, ctypes.byref(header), ctypes.byref(sets), what="capset")


def no_new_privileges():
    syscalls.prctl(syscalls.PR_SET_NO_NEW_PRIVS, 1)
