import os
import subprocess
import unittest
from types import SimpleNamespace
from unittest import mock

from isolation import syscalls
from launcher import cells


class DyingTest(unittest.TestCase):
    """What is done to a process that is about to be killed, so that nobody who answers for the kill waits behind it."""

    def setUp(self):
        self.process = subprocess.Popen(["/bin/sleep", "1000"])
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)

    def test_it_displaces_nobody(self):
        syscalls.let_others_first(self.process.pid)
        self.assertEqual(os.sched_getscheduler(self.process.pid), os.SCHED_BATCH)

    def test_it_keeps_off_the_processor_that_asks(self):
        mine = os.sched_getaffinity(0)
        asking = max(mine)
        with mock.patch.object(syscalls._libc, "sched_getcpu", return_value=asking):
            syscalls.keep_off_this_processor(self.process.pid)
        self.assertEqual(os.sched_getaffinity(self.process.pid), mine - {asking} or mine)

    def test_it_keeps_the_only_processor(self):
        mine = os.sched_getaffinity(0)
        self.addCleanup(os.sched_setaffinity, 0, mine)
        only = {min(mine)}
        os.sched_setaffinity(0, only)
        os.sched_setaffinity(self.process.pid, only)
        syscalls.keep_off_this_processor(self.process.pid)
        self.assertEqual(os.sched_getaffinity(self.process.pid), only)

    def test_a_killed_cell_does_both_to_what_it_holds(self):
        launcher = SimpleNamespace(ids=SimpleNamespace(take=lambda: 1))
        cell = cells.Cell(launcher, "cell", None, {})
        cell.processes[1] = cells._Process(self.process.pid, None, None)
        cell.kill()
        self.assertEqual(os.sched_getscheduler(self.process.pid), os.SCHED_BATCH)
        if len(os.sched_getaffinity(0)) > 1:
            self.assertLess(os.sched_getaffinity(self.process.pid), os.sched_getaffinity(0))

    def test_one_that_is_gone_is_left_at_that(self):
        self.process.kill()
        self.process.wait()
        cells._Process(self.process.pid, None, None).step_aside()


if __name__ == "__main__":
    unittest.main()
