import os
import signal
import subprocess

from isolation import cgroups

from . import fake_groups
from .fake_groups import LIMITS
from .test_cgroups import FakeKernelTest


class GroupKillTest(FakeKernelTest):
    """Real processes, named by the files of a made-up hierarchy."""

    def setUp(self):
        super().setUp()
        self.pidfds = {}
        base = self.tree(fake_groups.V1_FILES["pids"]).directory("engine")
        self.group = cgroups.V1({"pids": base}).make("cell", LIMITS)
        self.directory = f"{base}/cell"

    def child(self):
        child = subprocess.Popen(["/bin/sleep", "600"])
        self.pidfds[child] = os.pidfd_open(child.pid)
        self.addCleanup(self.end, child)
        return child

    def end(self, child):
        child.kill()
        child.wait()
        os.close(self.pidfds[child])

    def put(self, children, *leaf):
        with open("/".join((self.directory, *leaf, "cgroup.procs")), "w", encoding="ascii") as members:
            members.write("".join(f"{child.pid}\n" for child in children))

    def test_nobody_is_spared_but_who_was_told_and_is_still_there(self):
        leaves = [self.group.add_leaf(), self.group.add_leaf()]
        in_root, told, stranger, untold, gone = [self.child() for _ in range(5)]
        gone.kill()
        gone.wait()
        self.put([in_root])
        self.put([told, stranger], leaves[0])
        self.put([untold], leaves[1])
        self.writes.clear()
        # The stranger has the number of one that was told and reaped.
        self.group.kill({str(told.pid): self.pidfds[told], str(stranger.pid): self.pidfds[gone]})
        self.assertEqual([child.wait(10) for child in (in_root, stranger, untold)], [-signal.SIGKILL] * 3)
        self.assertIsNone(told.poll())
        self.assertEqual(sorted(self.writes), [(leaf, "pids.max", "0") for leaf in leaves])

    def test_a_leaf_that_can_not_be_looked_into_fails_it(self):
        os.rmdir(f"{self.directory}/{self.group.add_leaf()}")
        with self.assertRaises(OSError):
            self.group.kill({})

    def test_a_leaf_whose_process_ended_before_its_children_is_among_them(self):
        leaf = self.group.add_leaf()
        os.mkdir(f"{self.directory}/{leaf}/busy")
        os.mkdir(f"{self.directory}/{leaf}/busy/x")
        with open(f"{self.directory}/{leaf}/busy/x/busy", "x", encoding="ascii"):
            self.group.remove_leaf(leaf)
        self.group.add_leaf()
        child = self.child()
        self.put([child], leaf)
        self.group.kill({})
        self.assertEqual(child.wait(10), -signal.SIGKILL)

    def test_a_leaf_that_was_removed_is_not(self):
        self.group.remove_leaf(self.group.add_leaf())
        self.group.kill({})
