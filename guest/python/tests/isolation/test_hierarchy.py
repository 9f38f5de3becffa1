import os
import tempfile
import unittest

from isolation import cgroups, hierarchy

V1_MOUNTS = """\
30 25 0:26 / {root}/memory rw,relatime - cgroup cgroup rw,memory
31 25 0:27 / {root}/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct
32 25 0:28 / {root}/pids rw - cgroup cgroup rw,pids
33 25 0:29 / {root}/unified rw shared:4 - cgroup2 cgroup2 rw
"""


class HierarchyTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.root = f"{temporary.name}/groups"
        self.proc = f"{temporary.name}/proc"
        os.makedirs(self.proc)

    def host(self, own, mounts, *directories, controllers=None):
        for name, text in (("cgroup", own), ("mountinfo", mounts.format(root=self.root))):
            with open(f"{self.proc}/{name}", "w", encoding="utf-8") as file:
                file.write(text)
        for directory in directories:
            os.makedirs(f"{self.root}/{directory}", exist_ok=True)
            for name, text in (("cgroup.procs", ""), ("cgroup.controllers", controllers or ""), ("cgroup.subtree_control", "")):
                with open(f"{self.root}/{directory}/{name}", "w", encoding="ascii") as file:
                    file.write(text)

    def find(self, delegated=None):
        version, places = hierarchy.find(delegated, self.proc)
        return version, {c: os.path.relpath(d, self.root) for c, d in places.items()}

    def test_v1_controllers_are_found_below_the_own_group(self):
        self.host("4:memory:/a/b\n3:pids:/\n2:cpu,cpuacct:/c\n0::/\n", V1_MOUNTS, "memory/a/b", "pids", "cpu/c", "unified")
        self.assertEqual(self.find(), (1, {"memory": "memory/a/b", "pids": "pids", "cpu": "cpu/c", "cpuacct": "cpu/c"}))

    def test_a_unified_mount_without_controllers_is_not_v2(self):
        self.host("4:memory:/\n0::/x\n", V1_MOUNTS, "memory", "unified/x", controllers="hugetlb")
        self.assertEqual(self.find()[0], 1)

    def test_v2_is_taken_where_it_has_the_controllers(self):
        mounts = "33 25 0:29 / {root} rw shared:4 - cgroup2 cgroup2 rw\n"
        self.host("0::/user.slice\n", mounts, "user.slice", controllers="cpuset cpu memory pids")
        self.assertEqual(self.find(), (2, {c: "user.slice" for c in ("memory", "cpu", "pids")}))

    def test_a_mount_of_a_part_is_the_place_of_that_part(self):
        mounts = "33 25 0:29 /docker/x {root} rw - cgroup2 cgroup2 rw\n"
        self.host("0::/docker/x/y\n", mounts, ".", "y", controllers="memory pids")
        self.assertEqual(self.find()[1]["memory"], "y")

    def test_a_delegated_group_is_looked_for_beside_the_own_one_and_at_the_top(self):
        self.host("4:memory:/a\n3:pids:/a\n0::/\n", V1_MOUNTS, "memory/a", "memory/cove-user-7", "pids/a/cove-user-7", "cpu", "unified")
        places = self.find("cove-user-7")[1]
        self.assertEqual((places["memory"], places["pids"], places["cpu"]), ("memory/cove-user-7", "pids/a/cove-user-7", "cpu"))

    def test_no_hierarchy_at_all_leaves_everything_missing(self):
        self.host("", "")
        self.assertEqual(hierarchy.claim("e", found=hierarchy.find(None, self.proc)), (None, ["memory", "cpu", "pids"], []))

    def test_a_claim_makes_the_engines_groups_and_names_what_is_missing(self):
        self.host("4:memory:/\n2:cpu,cpuacct:/\n", V1_MOUNTS, "memory", "cpu")
        tree, missing, made = hierarchy.claim("e", found=hierarchy.find(None, self.proc))
        self.assertIsInstance(tree, cgroups.V1)
        self.assertEqual(missing, ["pids"])
        self.assertEqual([os.path.relpath(d, self.root) for d in made], ["cpu/cove-engine-e", "memory/cove-engine-e"])
        self.assertTrue(all(os.path.isdir(d) for d in made))

    def test_under_v2_controllers_are_granted_downwards(self):
        mounts = "33 25 0:29 / {root} rw - cgroup2 cgroup2 rw\n"
        self.host("0::/u\n", mounts, "u", controllers="memory pids")
        tree, missing, made = hierarchy.claim("e", found=hierarchy.find(None, self.proc))
        self.assertEqual((tree.version, tree.controllers, missing), (2, frozenset({"memory", "pids"}), ["cpu"]))
        with open(f"{made[0]}/cgroup.subtree_control", encoding="ascii") as file:
            self.assertIn("+", file.read())
