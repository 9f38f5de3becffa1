"""Reading a tar archive (ustar, pax, GNU long names) that somebody else made: every length is bounded before it is believed."""

from .failures import Failure

BLOCK = 512
MAX_EXTENDED = 1 << 16  # of a pax header or a GNU long name; a path has at most 4096 bytes
MAX_SIZE = 1 << 50
COMPRESSED = ((b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ\0", "xz"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"PK\x03\x04", "zip"))
REGULAR = (b"0", b"\0", b"7")
REFUSED = {b"3": "a character device", b"4": "a block device", b"6": "a FIFO", b"S": "a GNU sparse file", b"M": "a part of a multi-volume archive"}


class Entry:
    def __init__(self, path, kind, link, size, mode, mtime_ns):
        self.path, self.kind, self.link, self.size, self.mode, self.mtime_ns = path, kind, link, size, mode, mtime_ns


def broken(what):
    return Failure("bad_archive", "the archive is damaged or is none: %s" % what)


def read(stream):
    """Yields entries; a file's content is to be read from the stream (padding included) before the next one is asked for."""
    known = {}
    seen = False
    while True:
        head = stream.read(BLOCK)
        if len(head) < BLOCK:
            raise broken(_compressed(head, seen) or ("it ends without its end mark" if head or seen else "it is empty"))
        if not any(head):
            _to_the_end(stream)
            return
        try:
            size = _checked(head)
        except Failure:
            if _compressed(head, seen):
                raise broken(_compressed(head, seen)) from None
            raise
        seen = True
        kind = head[156:157]
        if kind in (b"x", b"L", b"K", b"g"):
            body = _body(stream, size)
            if kind == b"x":
                known.update(_records(body))
            elif kind != b"g":  # what a global header says of all files is not for a sandbox
                known[b"path" if kind == b"L" else b"linkpath"] = body.rstrip(b"\0")
            continue
        yield _entry(head, kind, size, known)
        known = {}


def _to_the_end(stream):
    """After the end mark comes padding, if anything."""
    while stream.read(BLOCK * 64):
        pass


def _compressed(head, seen):
    """What to say of a beginning that is no tar header, but that of a compressed file; asked only then, since a name may begin in any way."""
    return next(("it begins as a %s file; send it uncompressed" % name for magic, name in COMPRESSED if not seen and head.startswith(magic)), None)


def _checked(head):
    given = _number(head[148:156])
    if given != sum(head[:148]) + 256 + sum(head[156:]):
        raise broken("a header's checksum is wrong")
    size = _number(head[124:136])
    if not 0 <= size <= MAX_SIZE:
        raise broken("a length of %d bytes" % size)
    return size


def _number(field):
    """Octal, or GNU's base 256."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    if field[0] == 0xFF:
        return -1
    try:
        return int(field.strip(b" \0") or b"0", 8)
    except ValueError:
        raise broken("a header holds no number where one belongs") from None


def _body(stream, size):
    if size > MAX_EXTENDED:
        raise Failure("bad_archive", "an extended header has %d bytes; at most %d are read" % (size, MAX_EXTENDED))
    whole = size + -size % BLOCK
    body = stream.read(whole)
    if len(body) < whole:
        raise broken("it ends within a header")
    return body[:size]


def _records(body):
    found = {}
    while body:
        length, space, _ = body.partition(b" ")
        if not space or not length.isdigit() or len(length) > 6 or not len(length) + 3 <= int(length) <= len(body):
            raise broken("an extended header that cannot be read")
        record, body = body[len(length) + 1:int(length)], body[int(length):]
        key, equals, value = record.partition(b"=")
        if not equals or not value.endswith(b"\n"):
            raise broken("an extended header that cannot be read")
        if key.startswith(b"GNU.sparse"):
            raise Failure("bad_archive", "the archive holds a GNU sparse file, which is not unpacked; make it without --sparse")
        if key in (b"path", b"linkpath", b"size", b"mtime"):
            found[key] = value[:-1]
    return found


def _entry(head, kind, size, known):
    path = known.get(b"path") or _name(head)
    if kind in REFUSED:
        raise Failure("refused_entry", "the archive holds %s, %r, which is not unpacked; leave it out" % (REFUSED[kind], _shown(path)))
    if b"size" in known:
        size = _whole(known[b"size"])
    if kind in (b"1", b"2", b"5"):
        size = 0 if kind != b"5" else size
    link = known.get(b"linkpath") or head[157:257].split(b"\0")[0]
    return Entry(path, b"0" if kind in REGULAR else kind, link, size, _number(head[100:108]) & 0o777, _mtime(head, known))


def _name(head):
    name, prefix = head[:100].split(b"\0")[0], head[345:500].split(b"\0")[0]
    return prefix + b"/" + name if prefix and head[257:263] == b"ustar\0" else name


def _whole(text):
    if not text.isdigit() or len(text) > 16 or int(text) > MAX_SIZE:
        raise broken("a length that is no number")
    return int(text)


def _mtime(head, known):
    whole, _, fraction = known.get(b"mtime", b"").partition(b".")
    if whole.isdigit() and len(whole) <= 11:
        return int(whole) * 10 ** 9 + int((fraction + b"0" * 9)[:9] if fraction.isdigit() else b"0")
    return min(max(_number(head[136:148]), 0), 10 ** 10) * 10 ** 9


def _shown(path):
    return path[:200].decode("utf-8", "replace")
