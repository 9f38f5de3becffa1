"""matplotlib without a screen: what plt.show() shows, and every figure a cell leaves open, becomes a picture.

The backend stays plain Agg, so that savefig, subprocesses and `matplotlib.use("Agg")` behave as they do anywhere; only
`pyplot.show` is ours. It is put in place when pyplot is imported, by the zygote or by guest code (see imports.py).
"""
from .own import BUILTINS as __builtins__

import binascii
import io
import sys

_open_figures = None  # matplotlib's registry of open figures, once pyplot is there
_close = None
_figure_type = None
_displays = None
_shown = []  # figures that were the value of a cell: not shown again when the cell ends
_BytesIO = io.BytesIO
_modules = sys.modules


def install(pyplot):
    """Takes over `show` of a pyplot that was just imported."""
    global _open_figures, _close, _figure_type
    from matplotlib._pylab_helpers import Gcf
    from matplotlib.figure import Figure
    _open_figures, _close, _figure_type = Gcf.figs, pyplot.close, Figure
    pyplot.show = show


def install_if_loaded():
    pyplot = _modules.get("matplotlib.pyplot")
    if pyplot is not None and _open_figures is None:
        install(pyplot)


def attach(displays):
    global _displays
    _displays = displays


def is_figure(value):
    return _figure_type is not None and isinstance(value, _figure_type)


def show(*args, **kwargs):
    """Display all open figures."""
    flush()


def flush():
    """Shows and closes every open figure. A figure that cannot be drawn is reported; the others are still shown."""
    if not _open_figures:
        _shown.clear()
        return
    from_registry = [manager.canvas.figure for manager in list(_open_figures.values())]
    already = [id(figure) for figure in _shown]
    _shown.clear()
    try:
        for figure in from_registry:
            if id(figure) not in already:
                _show_one(figure)
    finally:
        _close("all")


def _show_one(figure):
    try:
        png = _png(figure)
    except Exception as error:
        _displays.report(error)
        return
    if png:
        _displays.publish({"text/plain": str(figure), "image/png": png})


def render(figure):
    """The picture of a figure that is itself the value to show."""
    _shown.append(figure)
    return _png(figure)


def _png(figure):
    if not figure.axes and not figure.texts and not figure.images and not figure.lines:
        return None  # plt.figure() alone: an empty sheet tells nobody anything
    buffer = _BytesIO()
    figure.savefig(buffer, format="png", dpi=figure.dpi, bbox_inches="tight")
    return binascii.b2a_base64(buffer.getbuffer(), newline=False).decode("ascii")
