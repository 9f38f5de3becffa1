"""Cove's Python kernel: the stateful interpreter inside a sandbox.

`warm_up()` is called once, in the trusted zygote; `main(control_fd)` in each forked, isolated child.
"""
from .own import BUILTINS as __builtins__

import os
import sys

from . import imports, own, runner, warmup

_directory = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# The names to hide. Listed once: walking sys.modules counts a reference on every name, and each child would so copy the
# pages all those names lie on (2 MB with pandas loaded).
_modules = []


def warm_up():
    """Makes the first cell of a fork cheap. Starts no thread and leaves no descriptor open."""
    _prepare()
    warmup.run()


def main(control_fd):
    """Serves the control link. Never returns."""
    _prepare()
    # The kernel is on the host's side of the wall: guest code finds neither its modules nor where they came from.
    sys.path[:] = [""] + [entry for entry in sys.path if entry not in ("", _directory)]
    for entry in [entry for entry in sys.path_importer_cache if entry.startswith(_directory)]:
        del sys.path_importer_cache[entry]
    sys.argv[:] = [""]
    for name in _modules:
        sys.modules.pop(name, None)
    imports.install()
    runner.serve(control_fd)


def _prepare():
    if _modules:
        return
    _modules.extend(name for name in sys.modules if name == __name__ or name.startswith(__name__ + "."))
    # Before the fork, so that the renamed code is shared by all children.
    own.relabel(__name__)
