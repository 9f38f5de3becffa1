"""The closed set of requests and the form of each. Whatever does not fit is refused before anything is done."""

import re


class Refused(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


_NAME = re.compile(r"[a-z0-9-]{1,40}\Z")
_LIMITS = {
    "memory_bytes": (1 << 20, 1 << 50), "cpu_millis": (10, 1_024_000), "pids": (8, 32_768), "disk_bytes": (1 << 16, 1 << 50),
    "inodes": (64, 100_000_000), "open_files": (32, 1_048_576)}


def number(message, field, low, high):
    value = message.get(field)
    if type(value) is not int or not low <= value <= high:
        raise Refused("bad_request", f"{field} is {value!r}; it must be a whole number from {low} to {high}")
    return value


def text(message, field, most=4096):
    value = message.get(field)
    if not isinstance(value, str) or len(value) > most or "\0" in value:
        raise Refused("bad_request", f"{field} must be text of at most {most} characters without NUL")
    return value


def name(message, field):
    value = text(message, field, 40)
    if not _NAME.match(value):
        raise Refused("bad_request", f"{field} is {value!r}; it must be 1 to 40 characters of a-z, 0-9 and -")
    return value


def one_of(message, field, choices):
    value = message.get(field)
    if value not in choices:
        raise Refused("bad_request", f"{field} is {value!r}; it must be one of {', '.join(choices)}")
    return value


def limits(message):
    given = message.get("limits")
    if not isinstance(given, dict):
        raise Refused("bad_request", "limits is missing")
    return {field: number(given, field, low, high) for field, (low, high) in _LIMITS.items()}


def strings(message, field, most_bytes=900_000):
    value = message.get(field)
    if not isinstance(value, list) or not all(isinstance(v, str) and "\0" not in v for v in value):
        raise Refused("bad_request", f"{field} must be a list of texts without NUL")
    if sum(len(v) for v in value) > most_bytes:
        raise Refused("bad_request", f"{field} is over {most_bytes} characters in all")
    return value


def environment(message, field="environment"):
    value = message.get(field)
    if not isinstance(value, dict):
        raise Refused("bad_request", f"{field} is missing")
    for key, content in value.items():
        if not key or "=" in key or "\0" in key or not isinstance(content, str) or "\0" in content:
            raise Refused("bad_request", f"{field} holds the bad entry {key!r}")
    return value


def descriptors(given, count):
    if len(given) != count:
        raise Refused("bad_request", f"{count} descriptors are needed and {len(given)} came")
    return given
