"""Frames: a 4-byte big-endian length and as many bytes of JSON, one object."""

import json

MAX_FRAME = 1 << 20


class FrameError(Exception):
    """The bytes are no frame; nothing after them can be trusted."""


def encode(message):
    # A lone surrogate has no UTF-8; a question mark loses less than the frame.
    body = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    if len(body) > MAX_FRAME:
        raise FrameError("a frame of %d bytes is over the limit" % len(body))
    return len(body).to_bytes(4, "big") + body


def take(buffer):
    """Take one frame off the front of `buffer` (a bytearray); None while it is incomplete."""
    if len(buffer) < 4:
        return None
    length = int.from_bytes(buffer[:4], "big")
    if not 1 <= length <= MAX_FRAME:
        raise FrameError("a frame of %d bytes" % length)
    if len(buffer) < 4 + length:
        return None
    body = bytes(buffer[4 : 4 + length])
    del buffer[: 4 + length]
    try:
        message = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise FrameError("not JSON") from error
    if not isinstance(message, dict):
        raise FrameError("not an object")
    return message
