"""What `cove doctor` can only learn by trying: run once, outside any cell, as the user who asks. Prints one JSON object."""

import importlib.metadata
import importlib.util
import json
import os
import sys

from isolation import hierarchy, landlock, mounts, namespaces, syscalls

_METADATA_NAMES = {"PIL": "pillow", "yaml": "PyYAML"}


def main():
    options = json.loads(sys.argv[1])
    sys.path[:] = [p for p in sys.path if not p.startswith("/usr/local")]  # as the zygote does
    print(json.dumps({
        "python": sys.version.split()[0],
        "user_namespace_error": _try_user_namespace(),
        "landlock_abi": landlock.abi(),
        "cgroup": _groups(options["delegated_group"]),
        "libraries": {name: _version(name) for name in options["libraries"]},
    }))


def _try_user_namespace():
    """None when a user namespace can be made and has its powers; what the kernel said when not."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            syscalls.unshare(namespaces.NEWUSER | namespaces.NEWNS)
            # AppArmor may let the namespace be made and then deny it every power: only use tells.
            mounts.make_private()
        except OSError as error:
            os.write(write, str(error).encode())
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    said = os.read(read, 1000).decode()
    os.close(read)
    return said or None


def _groups(delegated):
    version, places = hierarchy.find(delegated)
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        found = hierarchy.mounted(file.read())
    return {
        "version": version,
        "mounts": {controller: point for controller, (point, _) in found.items() if not controller.startswith("name=")},
        "places": {controller: {"directory": place, "usable": hierarchy.usable(place)} for controller, place in places.items()},
    }


def _version(name):
    if importlib.util.find_spec(name) is None:
        return None
    try:
        return importlib.metadata.version(_METADATA_NAMES.get(name, name))
    except importlib.metadata.PackageNotFoundError:
        return "present"
