import os
import signal
import subprocess
import sys
import tempfile
import unittest

from isolation import leftovers

_PYTHON = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class LeftoversTest(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.place = temporary.name

    def engine(self, name):
        """A process that holds a group the way a launcher does."""
        code = "import sys; sys.path.insert(0, sys.argv[1]); from isolation import leftovers; leftovers.make(*sys.argv[2:]); print('made', flush=True); sys.stdin.read()"
        process = subprocess.Popen(
            [sys.executable, "-I", "-B", "-c", code, _PYTHON, self.place, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.communicate)
        self.assertEqual(process.stdout.readline(), "made\n")
        return process

    def names(self):
        return sorted(os.listdir(self.place))

    def test_the_group_of_a_live_engine_is_left_alone(self):
        self.engine("one")
        self.assertEqual(leftovers.reap([self.place]), [])
        self.assertEqual(self.names(), ["cove-engine-one"])

    def test_what_a_killed_engine_left_is_removed_with_all_below(self):
        process = self.engine("one")
        os.makedirs(f"{self.place}/cove-engine-one/cell/t1")
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.assertEqual(leftovers.reap([self.place, self.place]), [])
        self.assertEqual(self.names(), [])

    def test_only_the_dead_ones_go(self):
        self.engine("alive")
        dead = self.engine("dead")
        dead.kill()
        dead.wait()
        leftovers.reap([self.place])
        self.assertEqual(self.names(), ["cove-engine-alive"])

    def test_groups_of_others_are_never_touched(self):
        for name in ("cove-user-1000", "cove", "system.slice", "cove-engine"):
            os.mkdir(f"{self.place}/{name}")
        os.symlink("/", f"{self.place}/cove-engine-link")
        leftovers.reap([self.place, f"{self.place}/none"])
        self.assertEqual(self.names(), ["cove", "cove-engine", "cove-engine-link", "cove-user-1000", "system.slice"])

    def test_a_group_whose_members_still_die_is_told_and_taken_the_next_time(self):
        dead = f"{self.place}/cove-engine-dead"
        os.mkdir(dead)
        member = f"{dead}/member"
        open(member, "x", encoding="ascii").close()  # as with a control group that has members, the directory cannot be removed
        self.assertEqual(leftovers.reap([self.place], patience=0), [dead])
        os.unlink(member)
        self.assertEqual(leftovers.reap([self.place], patience=0), [])

    def test_a_group_nobody_else_may_lock(self):
        self.engine("one")
        self.assertEqual(os.stat(f"{self.place}/cove-engine-one").st_mode & 0o777, 0o711)

    def test_what_is_written_into_a_lease_is_found_from_elsewhere(self):
        alive = self.engine("alive")
        for name in ("dead", "busy"):
            os.makedirs(f"{self.place}/cove-engine-{name}/cell/t1")
        open(f"{self.place}/cove-engine-busy/member", "x", encoding="ascii").close()
        groups = [f"{self.place}/cove-engine-{name}" for name in ("alive", "busy", "dead", "gone")]
        leases = f"{self.place}/leases"
        os.mkdir(leases)
        lease = os.open(f"{leases}/3.lock", os.O_RDWR | os.O_CREAT, 0o600)
        self.addCleanup(os.close, lease)
        leftovers.record(lease, ["/a/longer/list/of/groups" * 9])
        leftovers.record(lease, groups)
        with open(f"{leases}/4.lock", "wb") as torn:
            torn.write(b"\xff\0\n")
        os.symlink("/etc/passwd", f"{leases}/5.lock")
        found = leftovers.recorded(leases)
        self.assertEqual(found[:4], groups)
        self.assertNotIn("root", "".join(found))
        self.assertEqual(leftovers.reap_recorded(found, [self.place]), [groups[1]])
        self.assertEqual(self.names(), ["cove-engine-alive", "cove-engine-busy", "leases"])
        alive.kill()
        alive.wait()
        leftovers.reap_recorded(found, [self.place])
        self.assertEqual(self.names(), ["cove-engine-busy", "leases"])
        self.assertEqual(leftovers.recorded(f"{self.place}/none"), [])

    def test_a_recorded_name_is_no_proof(self):
        below = f"{self.place}/cgroup"
        os.makedirs(f"{below}/system.slice")
        os.makedirs(f"{self.place}/cove-engine-outside")
        os.makedirs(f"{self.place}/cgroup-other/cove-engine-x")
        os.symlink(f"{self.place}/cove-engine-outside", f"{below}/cove-engine-link")
        before = sorted(os.walk(self.place))
        names = [f"{below}/system.slice", f"{self.place}/cove-engine-outside", f"{below}/../cove-engine-outside", f"{below}/cove-engine-link",
                 f"{self.place}/cgroup-other/cove-engine-x", "cove-engine-outside", f"{below}/cove-engine-\0", "", "/"]
        self.assertEqual(leftovers.reap_recorded(names, [below]), [])
        self.assertEqual(sorted(os.walk(self.place)), before)

    def test_an_engine_that_loses_its_fresh_group_makes_it_again(self):
        make, opened = os.mkdir, []

        def mkdir(path, mode):
            make(path, mode)
            if not opened:
                opened.append(path)
                os.rmdir(path)  # a reaper was quicker than the lock

        os.mkdir = mkdir
        try:
            directory = leftovers.make(self.place, "one")
        finally:
            os.mkdir = make
        self.assertTrue(os.path.isdir(directory))
        self.assertEqual(leftovers.reap([self.place], patience=0), [])
        self.assertEqual(self.names(), ["cove-engine-one"])
