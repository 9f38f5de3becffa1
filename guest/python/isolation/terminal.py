"""A terminal of the cell's own: the pair belongs to the cell's devpts, so that its names, its sizes and its signals mean something inside."""

import fcntl
import os
import struct
import termios

_TIOCGPTN, _TIOCSPTLCK = 0x80045430, 0x40045431


def open_pair(columns, rows):
    """(master, slave) of a new pair. To be called inside the cell, where a guest can change neither /dev/pts nor what is mounted there."""
    flags = os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC
    master = os.open("/dev/pts/ptmx", flags)
    fcntl.ioctl(master, _TIOCSPTLCK, struct.pack("i", 0))
    number, = struct.unpack("i", fcntl.ioctl(master, _TIOCGPTN, bytes(4)))
    slave = os.open(f"/dev/pts/{number}", flags)
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    return master, slave


def take(slave):
    """Makes it the terminal of this session (whose leader this process is) and its standard input, output and error."""
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for target in range(3):
        os.dup2(slave, target)
    os.close(slave)
