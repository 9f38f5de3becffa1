"""What the launcher takes from the host: as little as it can, and then it moves away from the rest."""

import os
import pwd
import shutil
import subprocess
import sys

from isolation import etc, hierarchy, mounts, syscalls


class Place:
    """Paths after the move; the host's own names are gone by then."""

    guest = "/guest"
    etc = "/etc"
    masks = "/masks"
    templates = "/templates"
    staging = "/staging"
    cache = "/cache"
    roots = "/roots"


def move_in(options):
    """Builds the launcher's own root in a tmpfs and makes it the root."""
    mounts.make_private()
    base = options["directory"]
    mounts.tmpfs(base, "mode=755,size=64m", mounts.NOSUID | mounts.NODEV)
    for path in (Place.guest, Place.etc, Place.masks, Place.templates, Place.cache, Place.roots, Place.staging + "/root",
                 Place.staging + "/data", "/usr", "/proc", "/dev", "/tmp"):
        os.makedirs(base + path, exist_ok=True)
    for folder in ("python", "bash", "javascript"):
        shutil.copytree(f"{options['guest']}/{folder}", f"{base}{Place.guest}/{folder}", ignore=shutil.ignore_patterns("tests", "__pycache__", "*.md"))
    _make_readable(base + Place.guest)  # the user's umask may have kept the checkout to themselves
    etc.synthesise(base + Place.etc)
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        if os.path.lexists(f"/usr/{name}"):
            os.symlink(f"usr/{name}", f"{base}/{name}")
    mounts.bind("/usr", base + "/usr", mounts.RDONLY | mounts.NOSUID | mounts.NODEV)
    for point in hierarchy.mount_points():  # each mount here is copied for, and torn down with, every cell
        os.makedirs(base + point, exist_ok=True)
        mounts.bind(point, base + point)
    mounts.bind(options["cache"], base + Place.cache, mounts.NOSUID | mounts.NODEV)
    for name in ("null", "zero", "full", "random", "urandom", "tty"):
        open(f"{base}/dev/{name}", "x", encoding="ascii").close()
        mounts.bind(f"/dev/{name}", f"{base}/dev/{name}")
    for name, directory in options.get("roots", {}).items():
        os.makedirs(f"{base}{Place.roots}/{name}")
        mounts.bind(directory, f"{base}{Place.roots}/{name}", mounts.RDONLY | mounts.NOSUID | mounts.NODEV)
    syscalls.mount("proc", base + "/proc", "proc", mounts.NOSUID | mounts.NODEV | mounts.NOEXEC)
    mounts.pivot_into(base)
    sys.path[0] = f"{Place.guest}/python"
    return Place


def _make_readable(top):
    for directory, _, names in os.walk(top):
        os.chmod(directory, 0o755)
        for name in names:
            os.chmod(f"{directory}/{name}", 0o644)


def subordinate_ranges(uid):
    """[(first, count) of ids, of groups] from /etc/subuid and /etc/subgid, or [] where the tools or the ranges are missing."""
    if not (shutil.which("newuidmap", path="/usr/bin") and shutil.which("newgidmap", path="/usr/bin")):
        return []
    try:
        user = pwd.getpwuid(uid).pw_name
    except KeyError:
        user = str(uid)
    ranges = [_range(f"/etc/{name}", (user, str(uid))) for name in ("subuid", "subgid")]
    return ranges if all(ranges) else []


def _range(path, names):
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                owner, _, rest = line.strip().partition(":")
                if owner in names:
                    first, count = rest.split(":")
                    return int(first), min(int(count), 65_536)
    except (OSError, ValueError):
        pass
    return None


def run_mapping_tools(pid, uid, gid, ranges):
    for tool, own, (first, count) in (("newuidmap", uid, ranges[0]), ("newgidmap", gid, ranges[1])):
        try:
            result = subprocess.run([f"/usr/bin/{tool}", str(pid), "0", str(own), "1", "1", str(first), str(count)], env={}, check=False)
        except OSError:
            return 1  # in a container without their capabilities the tools are there and can't be executed
        if result.returncode:
            return 1
    return 0
