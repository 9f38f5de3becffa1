"""The /etc of a cell: written, or copied by name; the host's own is never seen."""

import os
import shutil

from . import users

HOST_NAME = "cove"

_TEXTS = {
    "passwd": f"root:x:0:0:root:/nonexistent:/usr/sbin/nologin\nuser:x:{users.USER}:{users.USER}:user:/home/user:/bin/bash\n"
              "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "group": f"root:x:0:\nuser:x:{users.USER}:\nnogroup:x:65534:\n",
    "hostname": HOST_NAME + "\n",
    "hosts": f"127.0.0.1 localhost {HOST_NAME}\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n",
    "resolv.conf": "",
    "host.conf": "multi on\n",
    "timezone": "Etc/UTC\n",
    "machine-id": "",
    "profile": "export PATH=/home/user/.local/bin:/usr/local/bin:/usr/bin:/bin\n",
}

# Read by programs that a sandbox is for, and telling nothing about this host beyond which packages it has.
_COPIED = (
    "alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "fonts", "matplotlibrc", "mime.types", "protocols", "services", "ssl/certs",
    "ssl/openssl.cnf", "ca-certificates", "inputrc", "terminfo", "python3", "magic", "os-release", "debian_version", "gitconfig.none")


def synthesise(directory, source="/etc"):
    """Writes the /etc of cells into an empty directory. `source` is the etc of the root the cells will have."""
    for name in _COPIED:
        _copy(f"{source}/{name}", f"{directory}/{name}")
    for name, text in _TEXTS.items():
        with open(f"{directory}/{name}", "w", encoding="ascii") as file:
            file.write(text)
    if not os.path.lexists(f"{directory}/localtime"):
        os.symlink("/usr/share/zoneinfo/Etc/UTC", f"{directory}/localtime")
    os.symlink("/proc/self/mounts", f"{directory}/mtab")


def _copy(source, target):
    if not os.path.exists(source):
        return
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.isdir(source):
        # A private key may lie beside certificates; what only root can read does not belong into a cell.
        shutil.copytree(source, target, symlinks=True, ignore=_private, ignore_dangling_symlinks=True)
    else:
        shutil.copyfile(source, target)
    os.chmod(target, 0o755 if os.path.isdir(target) else 0o644)


def _private(directory, names):
    return [n for n in names if not os.path.islink(f"{directory}/{n}") and not os.stat(f"{directory}/{n}").st_mode & 0o004]


def mask_texts(memory_bytes):
    """What the covered files of /proc say instead: enough for programs that size themselves by them, nothing of the host."""
    kib = memory_bytes // 1024
    return {
        "meminfo": "".join(f"{n + ':':<16}{v:>8} kB\n" for n, v in (
            ("MemTotal", kib), ("MemFree", kib), ("MemAvailable", kib), ("Buffers", 0), ("Cached", 0), ("SwapCached", 0),
            ("Active", 0), ("Inactive", 0), ("SwapTotal", 0), ("SwapFree", 0), ("Shmem", 0))),
        "uptime": "1.00 1.00\n",
        "loadavg": "0.00 0.00 0.00 1/1 1\n",
        "stat": "cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\nintr 0\nctxt 0\nbtime 0\nprocesses 1\nprocs_running 1\nprocs_blocked 0\n",
        "version": "Linux version (cove)\n",
        "boot_id": "00000000-0000-4000-8000-000000000000\n",
    }
