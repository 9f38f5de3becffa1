"""text/plain of a value: repr, and for containers a layout like pprint's, never larger than asked for.

pprint itself takes the repr of every element before it decides anything; a list of ten million numbers would cost
seconds and gigabytes to show a screenful. Here a container shows its first 1,000 elements, and no line attempt looks
further than the line is long.
"""
from .own import BUILTINS as __builtins__

import collections

WIDTH = 79
MAX_ITEMS = 1000
MAX_DEPTH = 40

_counter_repr = collections.Counter.__repr__
_default_repr = collections.defaultdict.__repr__
_ordered_repr = collections.OrderedDict.__repr__
_deque_repr = collections.deque.__repr__
_islice_types = (list, tuple)


def pretty(value, limit):
    """Returns (text, whole): at most about `limit` characters; `whole` is False when something was left out."""
    printer = _Printer(limit)
    printer.write(value, 0, 0)
    text = "".join(printer.out)
    if len(text) > limit:
        return text[:limit] + "…", False
    return text, printer.whole


def _shape(value):
    """(opening, closing, kind) when the value is a container that shows itself as its built-in base does."""
    shown = type(value).__repr__
    if shown is list.__repr__:
        return "[", "]", "items"
    if shown is dict.__repr__:
        return "{", "}", "pairs"
    if shown is tuple.__repr__:
        return "(", ",)" if len(value) == 1 else ")", "items"
    if shown is set.__repr__ or shown is frozenset.__repr__:
        if not value:
            return None
        if type(value) is set:
            return "{", "}", "items"
        return type(value).__name__ + "({", "})", "items"
    if shown is _deque_repr:
        return "deque([", "])" if value.maxlen is None else "], maxlen=%d)" % value.maxlen, "items"
    if shown is _default_repr:
        return "defaultdict(%r, {" % (value.default_factory,), "})", "pairs"
    if shown is _counter_repr:
        return ("Counter({", "})", "counts") if value else None
    if shown is _ordered_repr:
        return ("OrderedDict({", "})", "pairs") if value else None
    fields = type(value).__dict__.get("__dataclass_fields__")
    if fields is not None and "__create_fn__" in getattr(getattr(shown, "__wrapped__", None), "__qualname__", ""):
        return type(value).__qualname__ + "(", ")", "fields"
    return None


class _Printer:
    def __init__(self, limit):
        self.out = []
        self.whole = True
        self._room = limit
        self._limit = limit
        self._open = set()
        self._leaves = {}

    def emit(self, text):
        self.out.append(text)
        self._room -= len(text)

    def leaf(self, value):
        # Asked for once per level of nesting; __repr__ is guest code and may be slow.
        text = self._leaves.get(id(value))
        if text is None:
            kind = type(value)
            if (kind is str or kind is bytes) and len(value) > self._limit:
                self.whole = False
                value = value[:self._limit]
            text = repr(value)
            self._leaves[id(value)] = text
        return text

    def entries(self, value, kind):
        """(label, element) of the elements that are shown."""
        if kind == "items":
            if isinstance(value, (set, frozenset)):
                value = self._sorted(value)
            elements = value[:MAX_ITEMS] if type(value) in _islice_types else self._first(value)
            found = [("", element) for element in elements]
        elif kind == "pairs":
            found = [(self.label(key), value[key]) for key in self._first(dict.keys(value))]
        elif kind == "counts":
            found = [(self.label(key), count) for key, count in value.most_common(MAX_ITEMS)]
        else:
            return [(name + "=", getattr(value, name)) for name, field in type(value).__dataclass_fields__.items()
                    if field.repr and field._field_type.name == "_FIELD"]
        if len(value) > MAX_ITEMS:
            self.whole = False
            found.append(("", _ELLIPSIS))
        return found

    def label(self, key):
        return (self.flat(key, 10 * WIDTH) or self.leaf(key)) + ": "

    @staticmethod
    def _first(value):
        found = []
        for element in value:
            found.append(element)
            if len(found) == MAX_ITEMS:
                break
        return found

    @staticmethod
    def _sorted(value):
        try:
            return sorted(value) if len(value) <= MAX_ITEMS else value
        except Exception:
            return value  # elements of several types have no order

    def flat(self, value, room):
        """The value on one line of at most `room` characters, or None."""
        if value is _ELLIPSIS:
            return "..."
        shape = _shape(value)
        if shape is None:
            text = self.leaf(value)
            return text if len(text) <= room and "\n" not in text else None
        opening, closing, kind = shape
        if id(value) in self._open or len(self._open) >= MAX_DEPTH:
            return opening + "..." + closing
        if kind != "fields" and len(value) * 3 - 2 > room:
            return None
        room -= len(opening) + len(closing)
        parts = []
        self._open.add(id(value))
        try:
            for label, element in self.entries(value, kind):
                text = self.flat(element, room - len(label))
                if text is None:
                    return None
                room -= len(label) + len(text) + 2
                parts.append(label + text)
        finally:
            self._open.discard(id(value))
        return opening + ", ".join(parts) + closing if room >= -2 else None

    def write(self, value, column, trailing):
        """Writes the value starting at `column`, leaving `trailing` characters for what closes around it."""
        text = self.flat(value, WIDTH - column - trailing)
        if text is not None:
            self.emit(text)
            return
        shape = _shape(value)
        if shape is None:
            self.emit(self.leaf(value))
            return
        opening, closing, kind = shape
        if id(value) in self._open or len(self._open) >= MAX_DEPTH:
            self.emit(opening + "..." + closing)
            return
        self._open.add(id(value))
        try:
            self._fill(self.entries(value, kind), opening, closing, column, trailing)
        finally:
            self._open.discard(id(value))

    def _fill(self, entries, opening, closing, column, trailing):
        self.emit(opening)
        indent = column + (len(opening) if len(opening) < 20 else 4)
        margin = ",\n" + " " * indent
        at, last = column + len(opening), len(entries) - 1
        for index, (label, element) in enumerate(entries):
            if self._room <= 0:
                self.whole = False
                self.emit("...")
                break
            after = len(closing) + trailing if index == last else 1
            text = self.flat(element, WIDTH - indent - len(label) - after)
            if index:
                # Short elements share lines, as in pprint(compact=True): a list of numbers costs its reader less.
                if not label and text is not None and at + 2 + len(text) + after <= WIDTH:
                    self.emit(", ")
                    at += 2
                else:
                    self.emit(margin)
                    at = indent
            self.emit(label)
            if text is not None:
                self.emit(text)
                at += len(label) + len(text)
            else:
                self.write(element, indent + len(label), after)
                at = WIDTH
        self.emit(closing)


class _Ellipsis:
    __slots__ = ()


_ELLIPSIS = _Ellipsis()
