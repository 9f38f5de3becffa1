"""The filesystem of a cell: what it sees, and that it can change none of it but its own files."""

import ctypes
import os

from . import syscalls

RDONLY, NOSUID, NODEV, NOEXEC, REMOUNT, BIND, REC, PRIVATE = 1, 2, 4, 8, 32, 4096, 16384, 1 << 18
DETACH = 2
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")

# Beneath the writable tmpfs, laid out as the cell sees it, so that a link means the same to the host's file worker.
WRITABLE = {"workspace": 0o755, "tmp": 0o1777, "home/user": 0o755, "dev/shm": 0o1777}

# What /proc would tell about the host. Directories are covered by an empty one, files by a plausible or an empty one.
_HIDDEN_FILES = (
    "cmdline", "config.gz", "consoles", "devices", "diskstats", "dma", "execdomains", "interrupts", "iomem", "ioports", "kallsyms", "kcore",
    "key-users", "keys", "kmsg", "kpagecgroup", "kpagecount", "kpageflags", "latency_stats", "loadavg", "locks", "mdstat", "meminfo",
    "misc", "modules", "mtrr", "pagetypeinfo", "partitions", "sched_debug", "schedstat", "slabinfo", "softirqs", "stat", "swaps",
    "sysrq-trigger", "timer_list", "timer_stats", "uptime", "version", "version_signature", "vmallocinfo", "vmstat", "zoneinfo",
    "buddyinfo", "cgroups", "sys/kernel/random/boot_id",
    # Counts over the whole host, which tell how busy it and the other cells are; and where the host keeps its core dumps.
    "sys/fs/aio-nr", "sys/fs/dentry-state", "sys/fs/file-nr", "sys/fs/inode-nr", "sys/fs/inode-state", "sys/kernel/pty/nr",
    "sys/kernel/core_pattern")
_HIDDEN_DIRECTORIES = ("acpi", "asound", "bus", "driver", "dynamic_debug", "fs", "irq", "pressure", "scsi", "tty")


def make_private():
    syscalls.mount("none", "/", None, REC | PRIVATE)


def tmpfs(target, options, flags=NOSUID | NODEV):
    syscalls.mount("tmpfs", target, "tmpfs", flags, options)


def bind(source, target, flags=0):
    syscalls.mount(source, target, None, BIND | REC)
    if flags:
        _set_attributes(target, flags)


class _Attributes(ctypes.Structure):
    _fields_ = [("set", ctypes.c_uint64), ("clear", ctypes.c_uint64), ("propagation", ctypes.c_uint64), ("user_namespace", ctypes.c_uint64)]


def _set_attributes(target, flags):
    """For the mount and all below it: a remount would reach the top one only, and leave what the host mounted beneath its /usr writable.

    (The four flags have the same values in mount and mount_setattr.)
    """
    here, recursive = -100, 0x8000
    syscalls.raw(
        syscalls.MOUNT_SETATTR, here, ctypes.c_char_p(os.fsencode(target)), recursive, ctypes.byref(_Attributes(flags, 0, 0, 0)),
        ctypes.sizeof(_Attributes), what=f"mount_setattr on {target}")


def proc(target, options="hidepid=2"):
    syscalls.mount("proc", target, "proc", NOSUID | NODEV | NOEXEC, options)


def pivot_into(root):
    """Makes `root` (a mount point) the root and lets go of the old one."""
    os.chdir(root)
    syscalls.raw(syscalls.PIVOT_ROOT, syscalls.ctypes.c_char_p(b"."), syscalls.ctypes.c_char_p(b"."), what="pivot_root")
    syscalls.umount(".", DETACH)
    os.chdir("/")


def make_system_root(root, usr, etc, extras):
    """Assembles the read-only part of a root once, in the launcher: every cell binds it. `extras` maps paths to directories."""
    tmpfs(root, "mode=755,size=1m,nr_inodes=200")
    for name in ("usr", "etc", "dev", "proc", "opt", "mnt", "run", "srv", "var/tmp", *WRITABLE, "dev/pts"):
        os.makedirs(f"{root}/{name}", 0o755, exist_ok=True)
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        if os.path.lexists(f"{usr}/{name}"):
            os.symlink(f"usr/{name}", f"{root}/{name}")
    bind(usr, f"{root}/usr", RDONLY | NOSUID | NODEV)
    if os.path.isdir(f"{root}/usr/local"):
        # Where an administrator puts things of their own; no template names it.
        tmpfs(f"{root}/usr/local", "mode=755,size=4k,nr_inodes=2", RDONLY | NOSUID | NODEV)
    bind(etc, f"{root}/etc", RDONLY | NOSUID | NODEV)
    for path, directory in extras.items():
        os.makedirs(f"{root}{path}", 0o755, exist_ok=True)
        bind(directory, f"{root}{path}", RDONLY | NOSUID | NODEV)
    _make_devices(root)
    syscalls.mount("none", root, None, BIND | REMOUNT | RDONLY | NOSUID)


def _make_devices(root):
    for name in _DEVICES:
        open(f"{root}/dev/{name}", "x", encoding="ascii").close()
        # Read-only stops no write to a device, but the change of times (touch) that would reach the host's own node and be seen by other cells.
        bind(f"/dev/{name}", f"{root}/dev/{name}", RDONLY | NOSUID | NOEXEC)
    for name, target in (("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
                         ("stderr", "/proc/self/fd/2"), ("ptmx", "pts/ptmx")):
        os.symlink(target, f"{root}/dev/{name}")


def make_masks(directory, texts):
    """What covers the hidden parts of /proc: an empty file, an empty directory, and files with fixed texts."""
    os.makedirs(f"{directory}/none.d")
    for name, text in {"none": "", **texts}.items():
        with open(f"{directory}/{name}", "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(f"{directory}/{name}", 0o444)
    # What is bound from a read-only mount is read-only: an ordinary user's launcher shares its host id with its cells.
    bind(directory, directory, RDONLY | NOSUID | NODEV | NOEXEC)


def build_cell(system_root, staging, masks, limits):
    """Inside the new namespaces: puts the cell's root together and moves into it. Returns a descriptor of the writable tree."""
    size = f"size={limits['disk_bytes']},nr_inodes={limits['inodes']},mode=755"
    root, data = f"{staging}/root", f"{staging}/data"
    bind(system_root, root)
    tmpfs(data, size)
    tree = os.open(data, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    for name, mode in WRITABLE.items():
        os.makedirs(f"{data}/{name}", exist_ok=True)
        os.chmod(f"{data}/{name}", mode)
        bind(f"{data}/{name}", f"{root}/{name}")
    syscalls.mount("devpts", f"{root}/dev/pts", "devpts", NOSUID | NOEXEC, "newinstance,ptmxmode=0666,mode=0620,max=64")
    proc(f"{root}/proc")
    _mask_proc(f"{root}/proc", masks)
    pivot_into(root)  # the staging place goes with the old root; each unmount waits for all processors
    return tree


def _mask_proc(proc_root, masks):
    bind(f"{proc_root}/sys", f"{proc_root}/sys", RDONLY | NOSUID | NODEV | NOEXEC)
    for name in _HIDDEN_FILES:
        cover = f"{masks}/{os.path.basename(name)}"
        _cover(cover if os.path.exists(cover) else f"{masks}/none", f"{proc_root}/{name}")
    for name in _HIDDEN_DIRECTORIES:
        _cover(f"{masks}/none.d", f"{proc_root}/{name}")


def _cover(source, target):
    try:
        syscalls.mount(source, target, None, BIND)
    except FileNotFoundError:
        pass  # this kernel does not have it
