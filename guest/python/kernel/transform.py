"""IPython's extra syntax to Python, line for line.

Only called for a cell that is not Python as it stands, and only touches lines that begin a statement: not the inside of
a string, of brackets or of a continued line. So `(5\\n% 3)` and a text that quotes `!ls` stay what they are. Line
numbers never change; neither do the lines a traceback shows, since those are the original ones.
"""
from .own import BUILTINS as __builtins__

import re
import textwrap

_CELL = re.compile(r"%%([A-Za-z_][\w.]*)[ \t]*(.*)")
_ASSIGN = re.compile(r"(\s*)([A-Za-z_][\w.\[\]'\", *]*?)\s*=\s*([!%])(?!=)(.*)", re.S)
_HELP = re.compile(r"(\s*)(\?{1,2})?\s*([A-Za-z_][\w.]*)\s*(\?{1,2})?\s*(#.*)?$")
_MAGIC = re.compile(r"(\s*)%([A-Za-z_][\w.]*)[ \t]*(.*)", re.S)
_SYSTEM = re.compile(r"(\s*)(!!?)(.*)", re.S)
_OPENING, _CLOSING = "([{", ")]}"


def transform(source):
    """The cell as Python, or None when there is nothing of IPython's in it."""
    stripped = source.lstrip()
    if stripped.startswith("%%"):
        return _cell_magic(stripped, source.count("\n", 0, len(source) - len(stripped)))
    changed = False
    if source[:1] in " \t":
        dedented = textwrap.dedent(source)
        changed, source = dedented != source, dedented
    lines = source.split("\n")
    state = _State()
    index = 0
    while index < len(lines):
        line = lines[index]
        if state.starts_statement():
            last, joined = index, line
            if _may_be_magic(line):
                # A backslash at the end continues a magic line as it continues Python's.
                while joined.endswith("\\") and last + 1 < len(lines):
                    last += 1
                    joined = joined[:-1] + lines[last]
            replaced = _statement(joined)
            if replaced is not None:
                lines[index:last + 1] = [replaced] + [""] * (last - index)
                changed = True
                index = last + 1
                continue
        state.feed(line)
        index += 1
    return "\n".join(lines) if changed else None


def _cell_magic(source, skipped):
    first, _, body = source.partition("\n")
    match = _CELL.match(first)
    if match is None:
        return None
    call = "get_ipython().run_cell_magic(%r, %r, %r)" % (match[1], match[2].strip(), body)
    return "\n" * skipped + call


def _may_be_magic(line):
    start = line.lstrip()[:1]
    return start in ("%", "!") or _ASSIGN.match(line) is not None


def _statement(line):
    """The Python for one statement line, or None when it is Python already."""
    match = _SYSTEM.match(line)
    if match:
        call = "getoutput" if match[2] == "!!" else "system"
        return "%sget_ipython().%s(%r)" % (match[1], call, match[3].strip())
    match = _MAGIC.match(line)
    if match:
        return "%sget_ipython().run_line_magic(%r, %r)" % (match[1], match[2], match[3].strip())
    match = _ASSIGN.match(line)
    if match:
        indent, target, kind, rest = match.groups()
        if kind == "!":
            return "%s%s = get_ipython().getoutput(%r)" % (indent, target, rest.strip())
        name, _, argument = rest.strip().partition(" ")
        return "%s%s = get_ipython().run_line_magic(%r, %r)" % (indent, target, name, argument.strip())
    if "?" in line:
        match = _HELP.match(line)
        if match and (match[2] or match[4]):
            full = "??" in (match[2], match[4])
            return "%sget_ipython().run_line_magic(%r, %r)" % (match[1], "pinfo2" if full else "pinfo", match[3])
    return None


class _State:
    """Where in the text of a program a line begins: as much lexing as that question needs."""

    def __init__(self):
        self._depth = 0
        self._quote = ""
        self._continued = False

    def starts_statement(self):
        return not self._quote and not self._depth and not self._continued

    def feed(self, line):
        at, end = 0, len(line)
        self._continued = False
        while at < end:
            char = line[at]
            if self._quote:
                if char == "\\":
                    at += 2
                    continue
                if line.startswith(self._quote, at):
                    at += len(self._quote)
                    self._quote = ""
                    continue
            elif char == "#":
                return
            elif char in "'\"":
                self._quote = char * 3 if line.startswith(char * 3, at) else char
                at += len(self._quote)
                continue
            elif char in _OPENING:
                self._depth += 1
            elif char in _CLOSING:
                self._depth = max(0, self._depth - 1)
            elif char == "\\" and at == end - 1:
                self._continued = True
            at += 1
        if len(self._quote) == 1 and not line.endswith("\\"):
            self._quote = ""  # an unfinished short string ends with its line; Python will say so
