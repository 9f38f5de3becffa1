"""A light stand-in for the part of IPython that code written for notebooks imports.

It is found only when the real IPython is not installed, and costs nothing until it is imported (README.md has the
figures for embedding the real one).
"""
from .own import BUILTINS as __builtins__

from . import objects

NAMES = frozenset((
    "IPython", "IPython.display", "IPython.core", "IPython.core.display", "IPython.core.display_functions",
    "IPython.core.getipython", "IPython.core.magic", "IPython.core.pylabtools", "IPython.core.interactiveshell"))

_shell = None


def attach(shell):
    global _shell
    _shell = shell


def is_package(name):
    return name in ("IPython", "IPython.core")


def fill(module):
    """Gives a stand-in module its contents."""
    space, name = module.__dict__, module.__name__
    if name == "IPython":
        # matplotlib and others compare version_info; 8.5 is the generation whose habits are imitated.
        space.update(get_ipython=get_ipython, version_info=(8, 5, 0, ""), __version__="8.5.0", display=_display_module())
    elif name in ("IPython.display", "IPython.core.display", "IPython.core.display_functions"):
        space.update(_display_space())
    elif name == "IPython.core.getipython":
        space["get_ipython"] = get_ipython
    elif name == "IPython.core.pylabtools":
        space["backend2gui"] = {}
    elif name == "IPython.core.interactiveshell":
        space["InteractiveShell"] = type(_shell)
    elif name == "IPython.core.magic":
        space.update(
            register_line_magic=_registrar("line"),
            register_cell_magic=_registrar("cell"),
            register_line_cell_magic=_registrar("line_cell"))


def get_ipython():
    """The shell of this kernel."""
    return _shell


def display(*values, include=None, exclude=None, metadata=None, display_id=None, raw=False, clear=False, **kwargs):
    """Shows values in their richest form."""
    for value in values:
        if raw:
            _shell.displays.publish(dict(value), metadata)
        else:
            _shell.displays.show(value, "display", metadata)
    return Handle() if display_id is not None else None


def update_display(value, *, display_id=None, **kwargs):
    """Shows the value again: what was sent cannot be taken back."""
    display(value, **kwargs)


def clear_output(wait=False):
    """Output that was sent cannot be taken back: does nothing."""


class Handle:
    """What display(..., display_id=True) returns."""

    def display(self, value, **kwargs):
        display(value, **kwargs)

    update = display


def _display_space():
    return dict(objects.PUBLIC, display=display, update_display=update_display, clear_output=clear_output,
                DisplayHandle=Handle, publish_display_data=_publish)


def _publish(data, metadata=None, **kwargs):
    _shell.displays.publish(dict(data), metadata)


def _display_module():
    import importlib
    return importlib.import_module("IPython.display")


def _registrar(kind):
    def register(function):
        _shell.register_magic_function(function, kind)
        return function
    return register
