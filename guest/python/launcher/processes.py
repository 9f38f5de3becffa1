"""Starting what runs in a cell (or for it): commands, shims, file workers. One way in for all: isolation.enter."""

import ctypes
import os
import socket
import sys

import files.hardening
import files.worker
import shim.kernel
import shim.languages
from isolation import capabilities, enter, syscalls, terminal

from . import wire

_MIB = 1 << 20


def soft_memory(limits):
    """RLIMIT_DATA of a process, so that most overruns are its own error and not the kernel's kill of a whole tree."""
    memory = limits["memory_bytes"]
    return memory - max(16 * _MIB, memory // 10)


def _run_in_child(action, report=2):
    """Runs `action` in a process that was just forked and never returns; what it raises is said on descriptor 2."""
    try:
        action()
    except BaseException as error:
        try:
            os.write(report, f"cove: {type(error).__name__}: {error}\n".encode(errors="replace"))
        finally:
            os._exit(70)
    os._exit(70)


def start_command(launcher, door, descriptors, argv, directory, environment):
    def run():
        enter.enter(door, descriptors, "/")
        _execute(argv, directory, environment)

    return _fork(launcher, door, run)


def start_terminal(launcher, door, link, command, columns, rows):
    """A command on a terminal of its own, whose other end is sent over `link` before any byte of the guest's runs."""
    def run():
        enter.enter(door, [None, None, None, link], "/")
        ours = wire.Link(socket.socket(fileno=3))
        try:
            master, slave = terminal.open_pair(columns, rows)
            terminal.take(slave)
        except OSError as error:
            ours.send({"t": "failed", "message": error.strerror})
            os._exit(126)
        ours.send({"t": "terminal"}, [master])
        os.close(master)
        ours.socket.close()
        _execute(*command)

    return _fork(launcher, door, run)


def _execute(argv, directory, environment):
    try:
        os.chdir(directory)
    except OSError as error:
        _say(f"cove: working directory {directory}: {error.strerror}")
        os._exit(126)
    try:
        os.execvpe(argv[0], argv, environment)
    except FileNotFoundError:
        _say(f"cove: {argv[0]}: command not found")
        os._exit(127)
    except OSError as error:
        _say(f"cove: {argv[0]}: {error.strerror}")
        os._exit(126)


def start_shim(launcher, door, control, language):
    def run():
        enter.enter(door, [None, None, None, control], "/workspace")
        sys.path[0] = "/opt/cove/python"
        # Not made dumpable again: this process is a copy of the launcher, whose memory has seen other cells' requests, and
        # only a dumpable process lets others of its user read it.
        shim.main(3, language)

    return _fork(launcher, door, run)


def _say(text):
    os.write(2, text.encode(errors="replace") + b"\n")


def _fork(launcher, door, run):
    pid = launcher.entry.fork(door.stem_pidfd)
    if pid == 0:
        _run_in_child(run)
    return pid


def start_files(cell, link):
    """The worker stays outside the cell's PID namespace, where nothing inside can see or signal it; it has the cell's id and one directory."""
    pid = os.fork()
    if pid == 0:
        def run():
            enter.reset_signals()
            os.setsid()
            enter.place([None, None, None, link, cell.tree])
            os.fchdir(4)
            capabilities.drop_bounding_set()
            os.setresgid(cell.host_id, cell.host_id, cell.host_id)
            os.setresuid(cell.host_id, cell.host_id, cell.host_id)
            capabilities.drop_all()
            capabilities.no_new_privileges()
            files.main(3, 4)

        _run_in_child(run)
    return pid


def resize_tmpfs(tree, size, inodes):
    """Reconfigures the mounted tmpfs behind a descriptor, without entering the cell."""
    context = syscalls.raw(syscalls.FSPICK, tree, ctypes.c_char_p(b""), 0x8, what="fspick")  # FSPICK_EMPTY_PATH
    try:
        for key, value in ((b"size", size), (b"nr_inodes", inodes)):
            syscalls.raw(syscalls.FSCONFIG, context, 1, ctypes.c_char_p(key), ctypes.c_char_p(str(value).encode()), 0, what=f"fsconfig {key.decode()}")
        syscalls.raw(syscalls.FSCONFIG, context, 7, 0, 0, 0, what="fsconfig reconfigure")  # FSCONFIG_CMD_RECONFIGURE
    finally:
        os.close(context)
