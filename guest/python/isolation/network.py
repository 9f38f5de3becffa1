"""The cell's network: a namespace of its own with nothing but loopback."""

import array
import fcntl
import socket
import struct

_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1


def raise_loopback():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = array.array("b", struct.pack("16sH14s", b"lo", 0, b""))
        fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request, True)
        name, flags, rest = struct.unpack("16sH14s", request.tobytes())
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sH14s", name, flags | _IFF_UP, rest))
