"""Landlock beneath the read-only mounts.

Rules are tied to inodes, so a rule on each writable directory would not follow the fresh mounts that a fork gives a branch.
The rule is therefore on `/`: everything but making device nodes, and, by Landlock's nature, no change of the mount tree.
Signal and abstract-socket scopes stay open inside a cell (its processes may signal each other; the PID and network namespaces
are the boundary); a branch adds the signal scope, since it shares a PID namespace with its lineage.
"""

import ctypes
import os

from . import syscalls

_ALL_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1, 5: (1 << 16) - 1}
_MAKE_CHAR = 1 << 6
_MAKE_BLOCK = 1 << 11


class _Ruleset(ctypes.Structure):
    _fields_ = [("fs", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def abi():
    """The kernel's Landlock version; 0 when it is missing or switched off."""
    try:
        return syscalls.raw(syscalls.LANDLOCK_CREATE_RULESET, 0, 0, 1, what="landlock_create_ruleset")
    except OSError:
        return 0


def restrict(version):
    handled = _ALL_BY_ABI[min(version, 5)]
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = syscalls.raw(syscalls.LANDLOCK_CREATE_RULESET, ctypes.byref(_Ruleset(handled, 0, 0)), size, 0, what="landlock_create_ruleset")
    root = os.open("/", os.O_PATH | os.O_CLOEXEC)
    rule = _PathBeneath(handled & ~(_MAKE_CHAR | _MAKE_BLOCK), root)
    syscalls.raw(syscalls.LANDLOCK_ADD_RULE, ruleset, 1, ctypes.byref(rule), 0, what="landlock_add_rule")
    syscalls.raw(syscalls.LANDLOCK_RESTRICT_SELF, ruleset, 0, what="landlock_restrict_self")
    os.close(root)
    os.close(ruleset)
