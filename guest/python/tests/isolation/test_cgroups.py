import os
import unittest
from unittest import mock

from isolation import cgroups

from . import fake_groups
from .fake_groups import LIMITS, read


class FakeKernelTest(unittest.TestCase):
    """Makes directories of the fake hierarchy behave: mkdir fills them, rmdir takes the kernel's files along."""

    def setUp(self):
        self.writes = []
        make, take, write = os.mkdir, os.rmdir, cgroups._write
        self.trees = []

        def mkdir(path, mode=0o777, **options):
            make(path, mode, **options)
            for tree in self.trees:
                if not options and path.startswith(tree.root + "/"):
                    tree.fill(path)

        def rmdir(path, **options):
            if not options and any(path.startswith(tree.root + "/") for tree in self.trees):
                for entry in os.scandir(path):
                    if entry.is_file() and entry.name != "busy":
                        os.unlink(entry.path)
            take(path, **options)

        def recorded(directory, name, text):
            self.writes.append((os.path.basename(directory), name, str(text)))
            write(directory, name, text)

        for target, replacement in ((os, ("mkdir", mkdir)), (os, ("rmdir", rmdir)), (cgroups, ("_write", recorded))):
            patch = mock.patch.object(target, *replacement)
            patch.start()
            self.addCleanup(patch.stop)

    def tree(self, files):
        self.trees.append(fake_groups.Tree(self, files))
        return self.trees[-1]


class V1Test(FakeKernelTest):
    def make(self, swap=True, controllers=("memory", "cpu", "cpuacct", "pids")):
        self.bases = {}
        for controller in controllers:
            files = dict(fake_groups.V1_FILES[controller])
            if controller == "memory" and swap:
                files |= fake_groups.SWAP
            self.bases[controller] = self.tree(files).directory("engine")
        return cgroups.V1(self.bases)

    def test_limits_are_written_in_their_units(self):
        self.make().make("cell", LIMITS)
        self.assertEqual(read(f"{self.bases['memory']}/cell/memory.limit_in_bytes"), str(256 << 20))
        self.assertEqual(read(f"{self.bases['cpu']}/cell/cpu.cfs_quota_us"), "150000")
        self.assertEqual(read(f"{self.bases['pids']}/cell/pids.max"), "64")

    def order(self, value):
        self.writes.clear()
        self.group.set_limits({**LIMITS, "memory_bytes": value})
        return [name for _, name, _ in self.writes if name.startswith("memory")]

    def test_memory_goes_first_when_lowered_and_last_when_raised(self):
        self.group = self.make().make("cell", LIMITS)
        first, second = "memory.limit_in_bytes", "memory.memsw.limit_in_bytes"
        self.assertEqual(self.order(128 << 20), [first, second])
        self.assertEqual(self.order(512 << 20), [second, first])
        self.assertEqual(self.order(512 << 20), [first, second])

    def test_a_kernel_without_swap_accounting_is_left_at_that(self):
        self.group = self.make(swap=False).make("cell", LIMITS)
        self.assertEqual(self.order(128 << 20), ["memory.limit_in_bytes"])

    def test_controllers_that_share_a_directory_are_made_and_joined_once(self):
        both = {**fake_groups.V1_FILES["cpu"], **fake_groups.V1_FILES["cpuacct"]}
        shared = self.tree(both).directory("engine")
        tree = cgroups.V1({"cpu": shared, "cpuacct": shared})
        group = tree.make("cell", LIMITS)
        join = group.open_join(None)
        self.assertEqual(len(join), 1)
        cgroups.join(join)
        self.assertEqual(read(f"{shared}/cell/cgroup.procs"), "0")

    def test_a_leaf_is_joined_in_the_pids_tree_and_the_cell_elsewhere(self):
        group = self.make().make("cell", LIMITS)
        leaf = group.add_leaf()
        cgroups.join(group.open_join(leaf))
        self.assertEqual(read(f"{self.bases['pids']}/cell/{leaf}/cgroup.procs"), "0")
        self.assertEqual(read(f"{self.bases['pids']}/cell/cgroup.procs"), "")
        self.assertEqual(read(f"{self.bases['memory']}/cell/cgroup.procs"), "0")

    def test_killing_a_leaf_first_forbids_forks(self):
        group = self.make().make("cell", LIMITS)
        leaf = group.add_leaf()
        self.writes.clear()
        group.close_leaf(leaf)
        self.assertEqual(self.writes, [(leaf, "pids.max", "0")])
        self.assertFalse(group.kill_leaf(leaf))  # nobody was there

    def test_a_group_is_removed_with_its_leaves_in_every_tree(self):
        group = self.make().make("cell", LIMITS)
        group.add_leaf()
        self.assertTrue(group.remove())
        self.assertFalse(any(os.path.exists(f"{base}/cell") for base in self.bases.values()))
        self.assertTrue(group.remove())  # what is gone is removed

    def test_a_group_that_is_still_in_use_is_tried_again(self):
        group = self.make().make("cell", LIMITS)
        busy = f"{self.bases['memory']}/cell/busy"
        open(busy, "x", encoding="ascii").close()
        self.assertFalse(group.remove())
        os.unlink(busy)
        self.assertTrue(group.remove())

    def test_usage_is_read_where_the_controllers_are(self):
        group = self.make(controllers=("memory", "pids")).make("cell", LIMITS)
        self.assertEqual(set(group.files()), {"memory", "memory_peak", "oom", "pids", "pids_events"})
        self.assertEqual(self.make().make("cell", LIMITS).files()["cpu_stat"], f"{self.bases['cpu']}/cell/cpu.stat")


class V2Test(FakeKernelTest):
    def make(self, controllers=("memory", "cpu", "pids")):
        self.base = self.tree(fake_groups.V2_FILES).directory("engine")
        return cgroups.V2(self.base, controllers)

    def test_limits_are_written_in_their_units_and_swap_is_off(self):
        self.make().make("cell", LIMITS)
        found = {name: read(f"{self.base}/cell/{name}") for name in ("memory.max", "memory.swap.max", "pids.max", "cpu.max")}
        self.assertEqual(found, {"memory.max": str(256 << 20), "memory.swap.max": "0", "pids.max": "64", "cpu.max": "150000 100000"})

    def test_only_controllers_that_were_granted_are_touched(self):
        self.make(controllers=("pids",)).make("cell", LIMITS)
        self.assertEqual([name for _, name, _ in self.writes], ["pids.max"])

    def test_members_live_in_leaves_and_a_leaf_is_killed_by_the_kernel(self):
        group = self.make().make("cell", LIMITS)
        leaf = group.add_leaf()
        cgroups.join(group.open_join(leaf))
        self.assertEqual(read(f"{self.base}/cell/{leaf}/cgroup.procs"), "0")
        group.close_leaf(leaf)
        self.assertTrue(group.kill_leaf(leaf))
        self.assertEqual(read(f"{self.base}/cell/{leaf}/cgroup.kill"), "1")

    def test_leaves_never_share_a_name(self):
        group = self.make().make("cell", LIMITS)
        first = group.add_leaf()
        group.remove_leaf(first)
        self.assertNotEqual(group.add_leaf(), first)
