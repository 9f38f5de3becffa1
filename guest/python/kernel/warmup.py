"""What is done once in the zygote, so that no sandbox has to do it."""
from .own import BUILTINS as __builtins__

import gc
import sys

from . import display, figures, tracebacks
from .cells import Cells

_CELL = """
import math
class C: pass
async def f(): return [x for x in range(3)]
d = {'a': [1, 2.5], 'b': (None, 'text'), 'c': C()}
print(f'{d["a"]!r:>10}', end='', file=None if False else __import__('io').StringIO())
d
"""


def run():
    before = sys.modules.get("__main__")
    cells = Cells()
    for source in ("1+1", "x = 1\nx", _CELL, "1/0", "x ==", "await f()"):
        cells.begin(source)
        try:
            display.bundle(cells.run(source))
        except Exception as error:
            tracebacks.describe(error)
    cells.close_loop()  # it holds an epoll and a socket pair
    _pandas()
    _matplotlib()
    if before is not None:
        sys.modules["__main__"] = before
    tracebacks.forget()
    gc.collect()
    # What is there now is shared with every sandbox: the collector must not touch (and so copy) its pages.
    gc.freeze()


def _pandas():
    pandas = sys.modules.get("pandas")
    if pandas is None:
        return
    frame = pandas.DataFrame({"name": ["a", "b", "a"], "value": [1, 2.5, None]})
    display.bundle(frame)
    display.bundle(frame.groupby("name")["value"].sum())
    display.bundle(frame.describe())


def _matplotlib():
    matplotlib = sys.modules.get("matplotlib")
    if matplotlib is None:
        return
    matplotlib.use("Agg")
    figures.install_if_loaded()
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return
    figure = pyplot.figure()
    figure.add_subplot().plot([1, 2, 3])
    display.bundle(figure)
    pyplot.close("all")
    figures.flush()
    # The drawn text left font files open, and whoever isolates the child closes descriptors without asking.
    from matplotlib import font_manager
    forget = getattr(getattr(font_manager, "_get_font", None), "cache_clear", None)
    if forget is not None:
        forget()
