"""Control groups in a temporary directory. Writes are recorded in order; the kernel's rule about memory and memory+swap is kept."""

import os
import tempfile

V1_FILES = {
    "memory": {"memory.limit_in_bytes": str(1 << 62), "memory.usage_in_bytes": "0", "memory.oom_control": "oom_kill 0\n"},
    "cpu": {"cpu.cfs_quota_us": "-1"}, "cpuacct": {"cpuacct.usage": "0"}, "pids": {"pids.max": "max", "pids.current": "0"}}
SWAP = {"memory.memsw.limit_in_bytes": str(1 << 62)}
V2_FILES = {"memory.max": "max", "memory.swap.max": "max", "pids.max": "max", "cpu.max": "max 100000", "cgroup.kill": ""}
LIMITS = {"memory_bytes": 256 << 20, "cpu_millis": 1500, "pids": 64, "disk_bytes": 1 << 20, "inodes": 100, "open_files": 64}


class Tree:
    """A hierarchy whose new directories hold the files the kernel would put there."""

    def __init__(self, test, files):
        self._temporary = tempfile.TemporaryDirectory()
        test.addCleanup(self._temporary.cleanup)
        self.root = self._temporary.name
        self.files = files

    def directory(self, *parts):
        path = os.path.join(self.root, *parts)
        os.makedirs(path, exist_ok=True)
        self.fill(path)
        return path

    def fill(self, path):
        for name, content in {"cgroup.procs": "", **self.files}.items():
            if not os.path.exists(f"{path}/{name}"):
                with open(f"{path}/{name}", "w", encoding="ascii") as file:
                    file.write(content)


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read()
