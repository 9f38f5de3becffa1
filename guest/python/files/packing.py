"""A folder as a tar archive (POSIX pax), streamed: regular files, folders and links, nothing followed, nothing held but names."""

import os
import stat

from . import names
from .failures import Failure, from_errno
from .tree import Descriptor

BLOCK = 512
MAX_DEPTH = 128  # each level holds a descriptor
MAX_PATH = 4096
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class Packer:
    def __init__(self, stream, shown):
        self._stream = stream
        self._shown = shown
        self._entries = 0

    def pack(self, folder):
        status = os.fstat(folder)
        self._header(b"./", status, b"5")
        self._folder(folder, b"", status.st_dev, 1)
        self._stream.write(bytes(BLOCK * 2))
        return {"entries": self._entries}

    def _folder(self, folder, path, device, depth):
        if depth > MAX_DEPTH:
            raise self._failure("io_error", path, "is more than %d folders deep; pack a folder further down" % MAX_DEPTH)
        with os.scandir(folder) as found:
            chosen = sorted(os.fsencode(entry.name) for entry in found)
        for name in chosen:
            below = path + name
            if len(below) > MAX_PATH:
                raise self._failure("io_error", below, "is a path over %d bytes; pack a folder further down" % MAX_PATH)
            try:
                status = os.stat(name, dir_fd=folder, follow_symlinks=False)
                self._entry(folder, name, below, status, device, depth)
            except FileNotFoundError:
                continue  # gone since the folder was read
            except OSError as error:
                if isinstance(error, ConnectionError):
                    raise
                raise from_errno(error, self._name(below)) from error

    def _entry(self, folder, name, path, status, device, depth):
        if stat.S_ISLNK(status.st_mode):
            self._header(path, status, b"2", link=os.readlink(name, dir_fd=folder))
        elif stat.S_ISDIR(status.st_mode):
            with Descriptor(os.open(name, FOLDER, dir_fd=folder)) as fd:
                status = os.fstat(fd)
                if status.st_dev == device:
                    self._header(path + b"/", status, b"5")
                    self._folder(fd, path + b"/", device, depth + 1)
        elif stat.S_ISREG(status.st_mode):
            self._file(folder, name, path)

    def _file(self, folder, name, path):
        with Descriptor(os.open(name, FILE, dir_fd=folder)) as fd:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                return  # replaced meanwhile
            self._header(path, status, b"0", size=status.st_size)
            if self._stream.send_file(fd, status.st_size):
                raise self._failure("busy", path, "shrank while it was packed; pack it again")
        self._stream.write(bytes(-status.st_size % BLOCK))

    def _header(self, path, status, kind, size=0, link=b""):
        records = {}
        for key, value in ((b"path", path), (b"linkpath", link)):
            if len(value) > 100 or not value.isascii():
                records[key] = value
        if size >= 8 ** 11:
            records[b"size"] = b"%d" % size
        records[b"mtime"] = b"%d.%09d" % divmod(status.st_mtime_ns, 10 ** 9) if status.st_mtime_ns % 10 ** 9 and status.st_mtime_ns > 0 else None
        extended = _extended(records)
        if extended:
            self._stream.write(_ustar(b"./PaxHeaders/entry", 0o644, len(extended), 0, b"x", b"") + extended + bytes(-len(extended) % BLOCK))
        seconds = min(max(status.st_mtime_ns // 10 ** 9, 0), 8 ** 11 - 1)
        self._stream.write(_ustar(path[:100], stat.S_IMODE(status.st_mode) & 0o777, min(size, 8 ** 11 - 1), seconds, kind, link[:100]))
        self._entries += 1

    def _name(self, path):
        return self._shown + "/" + names.encode(path)

    def _failure(self, code, path, what):
        return Failure(code, "%s %s" % (self._name(path), what))


def _extended(records):
    text = b"".join(_record(key, value) for key, value in records.items() if value is not None)
    if text and any(not _is_text(value) for value in records.values() if value):
        text = _record(b"hdrcharset", b"BINARY") + text
    return text


def _is_text(value):
    try:
        value.decode("utf-8")
        return True
    except UnicodeDecodeError:
        return False


def _record(key, value):
    """`length key=value\\n`, where the length counts itself."""
    rest = b" " + key + b"=" + value + b"\n"
    length = len(rest) + len(str(len(rest)))
    if len(str(length)) + len(rest) != length:
        length += 1
    return b"%d" % length + rest


def _ustar(name, mode, size, mtime, kind, link):
    # The ids are those of the sandbox's user.
    head = b"".join((
        name.ljust(100, b"\0"), b"%07o\0" % mode, b"%07o\0" % 1000, b"%07o\0" % 1000, b"%011o\0" % size, b"%011o\0" % mtime,
        b" " * 8, kind, link.ljust(100, b"\0"), b"ustar\00000", b"user".ljust(32, b"\0"), b"user".ljust(32, b"\0")))
    head = head.ljust(BLOCK, b"\0")
    return head[:148] + b"%06o\0 " % sum(head) + head[156:]
