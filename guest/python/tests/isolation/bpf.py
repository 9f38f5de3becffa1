"""A classic-BPF interpreter for seccomp filters: what the kernel would answer to a system call, computed here."""

import struct

X86_64, I386, AARCH64 = 0xC000003E, 0x40000003, 0xC00000B7
ALLOW, ERRNO, KILL_PROCESS = 0x7FFF0000, 0x00050000, 0x80000000


def parse(code):
    return [struct.unpack_from("<HBBI", code, i) for i in range(0, len(code), 8)]


def check(program):
    """What the kernel's verifier demands: known instructions, jumps forward and inside, loads inside seccomp_data, a return at the end."""
    assert 0 < len(program) <= 4096
    for at, (operation, yes, no, value) in enumerate(program):
        if operation == 0x20:
            assert value % 4 == 0 and value < 64, f"load at {at}"
        elif operation == 0x05:
            assert at + 1 + value < len(program), f"jump at {at}"
        elif operation in (0x15, 0x35, 0x45):
            assert at + 1 + max(yes, no) < len(program), f"branch at {at}"
        elif operation != 0x54:
            assert operation == 0x06, f"operation {operation:#x} at {at}"
    assert program[-1][0] == 0x06


def run(program, number, arguments=(), architecture=X86_64):
    words = [a & 0xFFFFFFFFFFFFFFFF for a in (*arguments, *[0] * (6 - len(arguments)))]
    data = struct.pack("<iIQ6Q", number if number < 1 << 31 else number - (1 << 32), architecture, 0, *words)
    accumulator = at = 0
    while True:
        operation, yes, no, value = program[at]
        at += 1
        if operation == 0x20:
            accumulator, = struct.unpack_from("<I", data, value)
        elif operation == 0x05:
            at += value
        elif operation == 0x54:
            accumulator &= value
        elif operation == 0x15:
            at += yes if accumulator == value else no
        elif operation == 0x35:
            at += yes if accumulator >= value else no
        elif operation == 0x45:
            at += yes if accumulator & value else no
        else:
            return value
