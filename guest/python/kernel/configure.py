"""What the claim of a sandbox sets: environment, directory, random seeds, the soft memory wall."""
from .own import BUILTINS as __builtins__

import os
import random
import resource
import site
import sys
import time


_path = None


def apply(message):
    """Runs before any guest code; what fails here fails the kernel (a sandbox without its limits is none)."""
    _environment(message["env"])
    os.chdir(message["cwd"])
    _seed(message["seed"])
    soft = message.get("soft_memory_bytes")
    if soft is not None:
        _soft_memory(int(soft))


def _environment(variables):
    global _path
    if _path is None:
        _path = list(sys.path)
    sys.path[:] = _path  # without what a configuration before this one added
    os.environ.clear()  # through unsetenv, so that C code and children see the same
    os.environ.update(variables)
    # Not the guest's business to choose a screen; children that draw find the same headless backend.
    os.environ.setdefault("MPLBACKEND", "Agg")
    time.tzset()
    home = os.environ.get("HOME")
    if home:
        site.USER_BASE = os.path.join(home, ".local")
        site.USER_SITE = os.path.join(
            site.USER_BASE, "lib", "python%d.%d" % sys.version_info[:2], "site-packages")
        site.ENABLE_USER_SITE = True
        if site.USER_SITE not in sys.path:
            # Where Python itself puts it: after the standard library, before the distribution's packages.
            at = next((index for index, entry in enumerate(sys.path) if entry.endswith("-packages")), len(sys.path))
            sys.path.insert(at, site.USER_SITE)
        if os.path.isdir(site.USER_SITE):
            site.addsitedir(site.USER_SITE)


def _seed(text):
    seed = bytes.fromhex(text)
    random.seed(seed)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed([int.from_bytes(seed[at:at + 4], "big") for at in range(0, len(seed), 4)])


def _soft_memory(allowed):
    """RLIMIT_DATA counts this process's private writable memory, what it has already included."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as status:
        line = next(line for line in status if line.startswith("VmData:"))
    limit = int(line.split()[1]) * 1024 + allowed
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
