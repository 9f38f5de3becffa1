"""Where control groups are looked for. Version 2 is judged on a fake hierarchy: directories with the files the kernel would show."""

import os
import tempfile
import unittest

from isolation import cgroups, hierarchy

LIMITS = {"memory_bytes": 1 << 28, "pids": 64, "cpu_millis": 500, "disk_bytes": 1 << 20, "inodes": 64, "open_files": 64}


class Fake(unittest.TestCase):
    def setUp(self):
        self._directory = tempfile.TemporaryDirectory()
        self.addCleanup(self._directory.cleanup)
        self.base = self._directory.name
        os.makedirs(f"{self.base}/proc")

    def proc(self, mounts, groups):
        lines = [f"{i} 1 0:{i} {root} {point} rw,relatime - {kind} {kind} {options}" for i, (root, point, kind, options) in enumerate(mounts, 30)]
        self.write("proc/mountinfo", "\n".join(lines) + "\n")
        self.write("proc/cgroup", "\n".join(groups) + "\n")
        return f"{self.base}/proc"

    def write(self, path, text):
        os.makedirs(os.path.dirname(f"{self.base}/{path}"), exist_ok=True)
        with open(f"{self.base}/{path}", "w", encoding="ascii") as file:
            file.write(text)

    def read(self, path):
        with open(f"{self.base}/{path}", encoding="ascii") as file:
            return file.read()

    def group(self, path, controllers="memory cpu pids"):
        for name, text in (("cgroup.procs", ""), ("cgroup.controllers", controllers), ("cgroup.subtree_control", "")):
            self.write(f"{path}/{name}", text)
        return f"{self.base}/{path}"


class V2(Fake):
    def test_a_prepared_group_is_used_from_inside_of_it(self):
        top = self.group("fs")
        prepared = self.group("fs/cove-user-1000")
        self.group("fs/cove-user-1000/session")
        proc = self.proc([("/", top, "cgroup2", "rw")], ["0::/cove-user-1000/session"])
        version, places = hierarchy.find("cove-user-1000", proc)
        self.assertEqual((2, {c: prepared for c in ("memory", "cpu", "pids")}), (version, places))

    def test_root_makes_its_groups_at_the_top_because_its_own_group_holds_itself(self):
        top = self.group("fs")
        self.write(f"{os.path.relpath(self.group('fs/user.slice'), self.base)}/cgroup.procs", "4711\n")
        proc = self.proc([("/", top, "cgroup2", "rw")], ["0::/user.slice"])
        self.assertEqual(top, hierarchy.find(None, proc)[1]["memory"])

    def test_claiming_enables_the_controllers_and_writes_the_limits(self):
        top = self.group("fs")
        places = {c: top for c in ("memory", "cpu", "pids")}
        tree, missing, made = hierarchy.claim("e1", found=(2, places))
        self.assertEqual(([], [f"{top}/cove-engine-e1"]), (missing, made))
        self.assertEqual("+pids", self.read("fs/cove-engine-e1/cgroup.subtree_control"))  # the last one written; the kernel adds them up
        tree.make("cell", LIMITS).set_limits(LIMITS)
        self.assertEqual(str(1 << 28), self.read("fs/cove-engine-e1/cell/memory.max"))
        self.assertEqual("50000 100000", self.read("fs/cove-engine-e1/cell/cpu.max"))
        self.assertEqual("64", self.read("fs/cove-engine-e1/cell/pids.max"))

    def test_a_v2_mount_without_the_controllers_leaves_v1_in_use(self):
        unified, memory = self.group("unified", "hugetlb"), self.group("memory")
        proc = self.proc([("/", memory, "cgroup", "rw,memory"), ("/", unified, "cgroup2", "rw")], ["4:memory:/", "0::/"])
        self.assertEqual((1, {"memory": memory}), hierarchy.find(None, proc))


class V1(Fake):
    def test_a_prepared_group_is_found_at_the_top_of_each_tree(self):
        mounts = []
        for controller in ("memory", "cpu", "pids", "cpuacct"):
            self.group(f"{controller}/cove-user-1000")
            mounts.append(("/", f"{self.base}/{controller}", "cgroup", f"rw,{controller}"))
        proc = self.proc(mounts, ["4:memory:/some/where", "3:cpu:/", "2:pids:/", "1:cpuacct:/"])
        version, places = hierarchy.find("cove-user-1000", proc)
        self.assertEqual(1, version)
        self.assertEqual({c: f"{self.base}/{c}/cove-user-1000" for c in ("memory", "cpu", "pids", "cpuacct")}, places)

    def test_without_any_place_everything_is_missing(self):
        self.assertEqual((None, ["memory", "cpu", "pids"], []), hierarchy.claim("e1", found=(1, {})))


if __name__ == "__main__":
    unittest.main()
