"""Two places on sys.meta_path.

First: notices the import of matplotlib.pyplot by guest code. Last, when nobody else found a module: offers the light
IPython stand-in, and looks once more for what was installed a moment ago.
"""
from .own import BUILTINS as __builtins__

import importlib.machinery
import os
import sys
import time

from . import figures, standin

_PathFinder = importlib.machinery.PathFinder
_FileFinder = importlib.machinery.FileFinder
_spec = importlib.machinery.ModuleSpec
# A directory listed within the tick of its last change may be remembered without that change.
_FRESH_SECONDS = 2.0


class _Watch:
    """Finds nothing itself; pyplot is found by the others and handed to figures.py once it has run."""

    def find_spec(self, name, path=None, target=None):
        if name != "matplotlib.pyplot":
            return None
        spec = _PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Then(spec.loader, figures.install)
        return spec


class _Then:
    """A loader that does one thing more after the module has run."""

    def __init__(self, loader, action):
        self._loader = loader
        self._action = action

    def __getattr__(self, name):
        return getattr(self._loader, name)

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        module.__spec__.loader = module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._action(module)


class _Last:
    def find_spec(self, name, path=None, target=None):
        if name in standin.NAMES:
            return _spec(name, self, is_package=standin.is_package(name))
        if _forget_stale(sys.path if path is None else path):
            return _PathFinder.find_spec(name, path, target)
        return None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        standin.fill(module)


def _forget_stale(path):
    """Drops what the import system remembers wrongly; False when it remembers nothing wrong, so nothing to retry.

    importlib.invalidate_caches before every cell would do as well, and re-list every directory at the next import.
    """
    cache, now, found = sys.path_importer_cache, time.time(), False
    for entry in path:
        if not isinstance(entry, str) or entry not in cache:
            continue
        finder = cache[entry]
        if finder is None:
            if os.path.isdir(entry):  # made since: a user site that pip has just created
                del cache[entry]
                found = True
        elif isinstance(finder, _FileFinder):
            try:
                fresh = abs(now - os.stat(entry).st_mtime) < _FRESH_SECONDS
            except OSError:
                continue
            if fresh:
                finder.invalidate_caches()
                found = True
    return found


def install():
    sys.meta_path.insert(0, _Watch())
    sys.meta_path.append(_Last())
