"""Exceptions as text: user frames only, right lines, bounded."""
from .own import BUILTINS as __builtins__, PREFIX

import linecache
import traceback

LIMIT = 65_536
VALUE_LIMIT = 16_384
# A traceback this deep is runaway recursion: its end says what recurs, and formatting a million frames says no more.
DEEP = 3_000

_TracebackException = traceback.TracebackException
_type_name = type.__dict__["__name__"].__get__
_cache = linecache.cache
_sources = {}
_newest = None


def remember(filename, source):
    """Makes a cell's lines known to tracebacks and inspect.getsource."""
    global _newest
    lines = source.splitlines(True)
    if lines and lines[-1][-1] != "\n":
        lines[-1] += "\n"
    if _newest not in _cache:
        _recall()
    _newest = filename
    # No mtime: linecache.checkcache then keeps the entry although no such file exists.
    _sources[filename] = _cache[filename] = (len(source), None, lines, filename)


def cells():
    """(filename, lines) of every cell, the oldest first."""
    return [(filename, entry[2]) for filename, entry in _sources.items()]


def _recall():
    """Guest code may have emptied the cache (linecache.clearcache is what reloaders call)."""
    if _newest is not None and _newest not in _cache:
        _cache.update(_sources)


def forget():
    """Forgets all sources: what the zygote ran to warm up is no business of its children, nor is where it lies."""
    global _newest
    _newest = None
    _cache.clear()
    _sources.clear()


def describe(error):
    """(name, value, traceback) of an exception. Runs guest code (its __str__): call it guarded."""
    return name_of(error), value_of(error), text_of(error)


def name_of(error):
    return _type_name(type(error))


def value_of(error):
    try:
        text = str(error)
    except Exception:
        text = "<exception str() failed>"
    return text if len(text) <= VALUE_LIMIT else text[:VALUE_LIMIT] + "…"


def text_of(error):
    _recall()
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(PREFIX):
        trace = trace.tb_next  # dropped below in any case; here it spares formatting them
    if trace is not None and trace.tb_next is not None and _drives_cell(trace.tb_frame.f_code):
        trace = trace.tb_next
    depth, walk = 0, trace
    while walk is not None:
        depth, walk = depth + 1, walk.tb_next
    shown = _TracebackException(type(error), error, trace, limit=-DEEP if depth > DEEP else None, compact=True)
    _only_user_frames(shown)
    text = "".join(shown.format())
    return _cut(text.rstrip("\n"))


def _drives_cell(code):
    """Whether it is the loop that runs a cell with `await`: first behind our frames, it is ours, though it lies in the library."""
    return code.co_name == "run_until_complete" and code.co_filename.endswith("/asyncio/base_events.py")


def bare(error):
    """What can be said when describing the exception failed (its own __str__ spins, or memory is gone)."""
    name = name_of(error)
    return name, "", "%s: <the exception could not be shown>" % name


def _only_user_frames(top):
    pending, seen = [top], set()
    while pending:
        shown = pending.pop()
        if shown is None or id(shown) in seen:
            continue
        seen.add(id(shown))
        if shown.stack is not None:
            shown.stack[:] = [frame for frame in shown.stack if not frame.filename.startswith(PREFIX)]
            if not shown.stack:
                shown.stack = None  # no empty "Traceback" heading above a SyntaxError
        pending += [shown.__cause__, shown.__context__]
        pending += getattr(shown, "exceptions", None) or ()


def _cut(text):
    data = text.encode("utf-8", "replace")
    if len(data) <= LIMIT:
        return text
    # The head names where it began, the tail names the exception.
    head, tail = data[:LIMIT * 5 // 8], data[-(LIMIT * 3 // 8 - 128):]
    return "%s\n… %d bytes of traceback cut …\n%s" % (
        head.decode("utf-8", "ignore"), len(data) - len(head) - len(tail), tail.decode("utf-8", "ignore"))
