"""inspect.getsource of classes that a cell defined.

A function knows its file, so inspect finds its lines in linecache by itself. A class knows its module only, and __main__ has no file:
there are as many as there are cells, and a __file__ would be a lie to code and to multiprocessing. So inspect is told the cell.
"""
from .own import BUILTINS as __builtins__

import ast
import inspect
import sys

from . import tracebacks, transform

_getfile, _findsource = inspect.getfile, inspect.findsource
_NESTS = (ast.FunctionDef, ast.AsyncFunctionDef)


def attach():
    inspect.getfile, inspect.findsource = getfile, findsource


def getfile(object):
    """Return the file an object was defined in: for a class of a cell, the cell."""
    found = _cell(object)
    return found[0] if found is not None else _getfile(object)


def findsource(object):
    """Return all lines of the file and the index of the first that defines the object."""
    found = _cell(object)
    return (found[1], found[2]) if found is not None else _findsource(object)


def _cell(cls):
    """(file, lines, index) of the class; None when it is none, or of no cell that is remembered."""
    if not isinstance(cls, type) or cls.__module__ != "__main__" or hasattr(sys.modules.get("__main__"), "__file__"):
        return None
    own = {code.co_filename for code in map(_code, list(vars(cls).values())) if code is not None}
    known = [(filename, lines) for filename, lines in tracebacks.cells() if not own or filename in own]
    # A class without methods does not say which cell it is of; the newest of that name is what the name means.
    for filename, lines in reversed(known or tracebacks.cells()):
        index = _line(lines, cls.__qualname__)
        if index is not None:
            return filename, lines, index
    return None


def _code(member):
    member = getattr(member, "__func__", getattr(member, "fget", member))
    code = getattr(member, "__code__", None)
    # What a decorator made (a dataclass's __init__) is of no cell.
    return code if code is not None and code.co_filename.startswith("<cell ") else None


def _line(lines, qualname):
    text = "".join(lines)
    if qualname.rpartition(".")[2] not in text:
        return None
    try:
        tree = ast.parse(text)
    except SyntaxError:
        try:
            tree = ast.parse(transform.transform(text) or "")  # the lines stay where they are
        except SyntaxError:
            return None
    last = None
    for node in _classes(tree, ""):
        if node[0] == qualname:
            last = node[1]
    if last is None:
        return None
    return min([last.lineno] + [decorator.lineno for decorator in last.decorator_list]) - 1


def _classes(node, prefix):
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield prefix + child.name, child
            yield from _classes(child, prefix + child.name + ".")
        elif isinstance(child, _NESTS):
            yield from _classes(child, prefix + child.name + ".<locals>.")
        else:
            yield from _classes(child, prefix)
