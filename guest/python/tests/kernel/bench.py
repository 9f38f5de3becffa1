"""What a run costs, seen from the engine's side of the link. Not a test: `python3 -m tests.kernel.bench`.

Pipes are made and the message is encoded outside the measured time; inside it are one sendmsg, the kernel, and the
reads up to `done`. `echo` is the same exchange with a process that only sends a fixed `done`: the floor of this machine.
"""
import array
import json
import os
import socket
import struct
import time

from .harness import Kernel

ROUNDS = 2000


def _echo():
    """A child that answers every message with the same bytes on its third descriptor."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        answer = b'\0\0\0\x2a{"t":"done","run":"x","status":"ok"}'
        while True:
            data, fds, _, _ = socket.recv_fds(theirs, 65536, 3)
            if not data:
                os._exit(0)
            os.write(fds[2], answer)
            for fd in fds:
                os.close(fd)
    theirs.close()
    return ours, pid


def measure(control, code, rounds=ROUNDS):
    took = []
    for _ in range(rounds):
        pipes = [os.pipe() for _ in range(3)]
        body = json.dumps({"t": "execute", "run": "00" * 16, "code": code}).encode()
        message = [struct.pack(">I", len(body)) + body]
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [write for _, write in pipes]))]
        result = pipes[2][0]
        begun = time.perf_counter()
        control.sendmsg(message, ancillary)
        got = b""
        while b'"done"' not in got:
            got += os.read(result, 65536)
        took.append(time.perf_counter() - begun)
        for read, write in pipes:
            os.close(read)
            os.close(write)
    took.sort()
    return "p50 %6.1f us  p99 %6.1f us" % (took[rounds // 2] * 1e6, took[rounds * 99 // 100] * 1e6)


def output(kernel, name, code):
    begun = time.perf_counter()
    run = kernel.run(code)
    took = time.perf_counter() - begun
    print("%-34s %8.2f ms  %7.1f MB/s" % (name, took * 1e3, len(run.stdout) / took / 1e6))


def main():
    control, pid = _echo()
    print("echo                 ", measure(control, "1+1"))
    control.close()
    os.waitpid(pid, 0)
    kernel = Kernel()
    try:
        for code in ("1+1", "x = 1", "x = 1\nx + 1", "print('hello')", "import math\nmath.pi", "1/0"):
            print("%-20r" % code, measure(kernel.control, code))
        output(kernel, "1 MB in one print", "print('x' * 1_000_000)")
        output(kernel, "100 MB in one print", "print('x' * 100_000_000)")
        output(kernel, "1 MB in lines of 100", "for i in range(10_000): print('x' * 99)")
        output(kernel, "100,000 short lines", "for i in range(100_000): print(i)")
    finally:
        kernel.close()


if __name__ == "__main__":
    main()
