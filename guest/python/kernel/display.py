"""Rich values: from an object to its MIME bundle, from a bundle to frames."""
from .own import BUILTINS as __builtins__

import binascii
import json
import sys

from . import figures, link, pretty, signals, tracebacks

TEXT_LIMIT = 1 << 20
METADATA_LIMIT = 65_536

_METHODS = (
    ("_repr_html_", "text/html"),
    ("_repr_markdown_", "text/markdown"),
    ("_repr_svg_", "image/svg+xml"),
    ("_repr_png_", "image/png"),
    ("_repr_jpeg_", "image/jpeg"),
    ("_repr_latex_", "text/latex"),
    ("_repr_json_", "application/json"),
    ("_repr_javascript_", "application/javascript"),
)
# Values of these types have a repr and nothing else: the common result skips nine look-ups.
_PLAIN = frozenset((int, float, str, bool, bytes, list, dict, tuple, set, frozenset, complex, type(None)))
# Numbers of so many bits have fewer than link.SHORT digits.
_SHORT_BITS = 1_600
_dumps = json.dumps
_base64 = binascii.b2a_base64


def report(error):
    """Says on the run's stderr what went wrong beside the code's own result."""
    try:
        sys.stderr.write(tracebacks.text_of(error) + "\n")
    except Exception:
        pass  # guest code replaced stderr with something that cannot write


def _is_short(value):
    """Whether its repr is surely short, and runs nothing of the guest's (nor does asking: a set would ask a metaclass)."""
    kind = type(value)
    if kind is int:
        return value.bit_length() < _SHORT_BITS
    if kind is str or kind is bytes:
        return len(value) < link.SHORT
    return kind is float or kind is bool or kind is complex


class Displays:
    """What display(), the last expression and figures go through."""

    report = staticmethod(report)

    def __init__(self, streams):
        self.results = None  # of the run in progress
        self._streams = streams
        self._captures = []

    def result(self, value):
        """Sends a cell's value: short numbers and texts, most of what cells end with, by the short way."""
        if _is_short(value) and not self._captures:
            text = repr(value)
            if len(text) <= link.SHORT and self.results.hold(text):
                return
        self.show(value, "result")

    def show(self, value, kind="display", metadata=None):
        """Sends a value. Runs guest code: its reprs. What fails in a rich one is reported beside the plain one."""
        if type(value) not in _PLAIN:
            special = getattr(type(value), "_ipython_display_", None)
            if special is not None and not isinstance(value, type):
                special(value)
                return
        data, extra, whole = bundle(value)
        if metadata:
            extra.update(metadata)
        self.publish(data, extra, kind)
        if not whole and self.results is not None and not self._captures and self.results.mine():
            self.results.notice("text_cut", "The text form of a value was too long and has been cut.")
            signals.check()

    def publish(self, data, metadata=None, kind="display"):
        if self._captures:
            self._captures[-1].append((data, metadata or {}))
            return
        results = self.results
        if results is None:
            return
        if not results.mine():
            # A process forked by guest code has no result channel of its own; its text still reaches the output.
            sys.stdout.write(data.get("text/plain", "") + "\n")
            return
        results.display(kind, data, _metadata(metadata) if metadata else None)

    def capture(self):
        self._captures.append([])
        return self._captures[-1]

    def release(self, captured):
        self._captures[:] = [capture for capture in self._captures if capture is not captured]

    def forget_captures(self):
        self._captures.clear()


def bundle(value):
    """(data, metadata, whole) of a value; text/plain is always there."""
    data, metadata = {}, {}
    kind = type(value)
    if kind not in _PLAIN and not isinstance(value, type):
        if figures.is_figure(value):
            png = _attempt(figures.render, value)
            if png:
                data["image/png"] = png
        else:
            _rich(value, kind, data, metadata)
    if "text/plain" in data:
        text, whole = data["text/plain"], True
        if len(text) > TEXT_LIMIT:
            text, whole = text[:TEXT_LIMIT] + "…", False
    else:
        text, whole = pretty.pretty(value, TEXT_LIMIT)
    return {"text/plain": text, **{mime: body for mime, body in data.items() if mime != "text/plain"}}, metadata, whole


def _rich(value, kind, data, metadata):
    # Looked up on the type: a mock or proxy that answers to every attribute name has no rich form.
    method = getattr(kind, "_repr_mimebundle_", None)
    if method is not None:
        found = _attempt(method, value, include=None, exclude=None)
        if isinstance(found, tuple) and len(found) == 2:
            found, extra = found
            if isinstance(extra, dict):
                metadata.update(extra)
        if isinstance(found, dict):
            for mime, body in found.items():
                _add(data, mime, body)
    for name, mime in _METHODS:
        method = getattr(kind, name, None)
        if method is None or mime in data or (mime == "image/jpeg" and "image/png" in data):
            continue  # one picture of an image is enough
        body = _attempt(method, value)
        if isinstance(body, tuple) and len(body) == 2:
            body, extra = body
            if isinstance(extra, dict) and extra:
                metadata[mime] = extra
        if body is not None:
            _add(data, mime, body)


def _add(data, mime, body):
    if not isinstance(mime, str):
        return
    if isinstance(body, (bytes, bytearray, memoryview)):
        body = _base64(body, newline=False).decode("ascii")
    elif not isinstance(body, str):
        body = _attempt(_dumps, body, default=str)
        if body is None:
            return
    data[mime] = body


def _attempt(function, *args, **kwargs):
    try:
        return function(*args, **kwargs)
    except NotImplementedError:
        return None
    except Exception as error:
        report(error)
        return None


def _metadata(metadata):
    try:
        text = _dumps(metadata, default=str)
    except Exception:
        return None
    return text.encode("ascii") if len(text) <= METADATA_LIMIT else None
