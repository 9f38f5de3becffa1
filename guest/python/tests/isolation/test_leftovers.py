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
