"""Paths: checked, normalised and written so that no name is lost.

On the wire a path is a JSON string. A name's bytes that are not UTF-8 are written `%XX`, and a `%` itself is written
`%25`, so that every name has exactly one spelling and comes back to the same file. The engine does this both ways.
"""

import re

from .failures import Failure

ROOTS = (("workspace",), ("tmp",), ("home", "user"))
MAX_PATH = 4096
MAX_NAME = 255
ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")


def encode(name):
    """Bytes of a name or path -> its spelling on the wire."""
    text = name.replace(b"%", b"%25").decode("utf-8", "surrogateescape")
    return "".join("%%%02X" % (ord(c) - 0xDC00) if 0xDC80 <= ord(c) <= 0xDCFF else c for c in text)


def decode(text):
    """The spelling on the wire -> bytes."""
    if not isinstance(text, str) or not text:
        raise Failure("invalid_path", "a path must be a string that is not empty")
    try:
        raw = text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Failure("invalid_path", "a path must be proper Unicode; bytes that are not UTF-8 are written %XX") from error
    if raw.count(b"%") != len(ESCAPE.findall(raw)):
        raise Failure("invalid_path", "a %% in a path starts %%XX; write %%25 for a percent sign: %s" % text[:200])
    return ESCAPE.sub(lambda match: bytes([int(match.group(1), 16)]), raw)


def components(text):
    """A requested path -> the list of its names (bytes) from the sandbox's root."""
    raw = decode(text)
    shown = text[:200]
    if b"\0" in raw:
        raise Failure("invalid_path", "a path cannot hold a NUL character")
    if len(raw) > MAX_PATH:
        raise Failure("invalid_path", "the path is longer than %d bytes: %s" % (MAX_PATH, shown))
    parts = [] if raw.startswith(b"/") else [b"workspace"]
    for name in raw.split(b"/"):
        if len(name) > MAX_NAME:
            raise Failure("invalid_path", "a name is longer than %d bytes: %s" % (MAX_NAME, shown))
        if name == b"..":
            if not parts:
                raise _outside(shown)
            parts.pop()
        elif name not in (b"", b"."):
            parts.append(name)
    if not beneath_roots(parts):
        raise _outside(shown)
    return parts


def beneath_roots(parts):
    return any(tuple(parts[: len(root)]) == tuple(name.encode() for name in root) for root in ROOTS)


def is_root(parts):
    return any(tuple(parts) == tuple(name.encode() for name in root) for root in ROOTS)


def absolute(parts):
    return b"/" + b"/".join(parts)


def shown(parts):
    return encode(absolute(parts))


def _outside(text):
    return Failure("outside_roots", "%s is outside /workspace, /tmp and /home/user; use a path beneath one of them" % text)
