"""The stem: PID 1 of every cell.

It does nothing, for ever: SIGCHLD is ignored (an ignored signal stays ignored over exec), so the kernel reaps orphans for it, and no signal
from inside a PID namespace reaches its PID 1 unless it asked for it. When the host kills it, everything in the cell dies.
A program of nine bytes needs no compiler: this file writes the executable, one page of memory in each cell.
"""

import ctypes
import os
import struct

from . import syscalls

_ADDRESS = 0x400000
_CODE = bytes([
    0xB8, 0x22, 0x00, 0x00, 0x00,  # mov eax, 34    pause
    0x0F, 0x05,                    # syscall
    0xEB, 0xF7,                    # jmp to the mov
])


def _image():
    size = 64 + 56 + len(_CODE)
    header = struct.pack(
        "<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01".ljust(16, b"\0"), 2, 62, 1, _ADDRESS + 120, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, _ADDRESS, _ADDRESS, size, size, 0x1000)
    return header + segment + _CODE


def make_executable():
    """A sealed descriptor of the program, to be executed by every new PID 1."""
    writable = os.memfd_create("stem", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(writable, _image())
    # Executable and not readable: the kernel then lets nobody read or write the stem's memory. It has no system call filter, and where the
    # kernel has no Landlock nothing else would keep a cell's process of the same user from rewriting it.
    os.fchmod(writable, 0o111)
    import fcntl
    fcntl.fcntl(writable, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE)
    # A descriptor open for writing cannot be executed ("text file busy").
    readable = os.open(f"/proc/self/fd/{writable}", os.O_RDONLY | os.O_CLOEXEC)
    os.close(writable)
    return readable


def become(executable):
    arguments = (ctypes.c_char_p * 2)(b"stem", None)
    environment = (ctypes.c_char_p * 1)(None)
    at_empty_path = 0x1000
    syscalls.raw(syscalls.EXECVEAT, executable, ctypes.c_char_p(b""), arguments, environment, at_empty_path, what="execveat")
