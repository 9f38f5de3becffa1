import os
import subprocess
import time
import unittest

from isolation import syscalls


class DyingTest(unittest.TestCase):
    """What is done to a process that is about to be killed, so that nobody who answers for the kill waits behind it."""

    def setUp(self):
        self.process = subprocess.Popen(["/bin/sleep", "1000"])
        self.addCleanup(self.process.wait)
        self.addCleanup(self.process.kill)

    def test_it_displaces_nobody(self):
        syscalls.let_others_first(self.process.pid)
        self.assertEqual(os.sched_getscheduler(self.process.pid), os.SCHED_BATCH)

    def test_it_keeps_off_one_processor_where_there_are_several(self):
        mine = os.sched_getaffinity(0)
        syscalls.keep_off_this_processor(self.process.pid)
        its = os.sched_getaffinity(self.process.pid)
        self.assertLess(its, mine) if len(mine) > 1 else self.assertEqual(its, mine)
        self.assertGreaterEqual(len(its), max(1, len(mine) - 1))

    def test_it_keeps_the_only_processor(self):
        mine = os.sched_getaffinity(0)
        self.addCleanup(os.sched_setaffinity, 0, mine)
        only = {min(mine)}
        os.sched_setaffinity(0, only)
        time.sleep(0)
        os.sched_setaffinity(self.process.pid, only)
        syscalls.keep_off_this_processor(self.process.pid)
        self.assertEqual(os.sched_getaffinity(self.process.pid), only)


if __name__ == "__main__":
    unittest.main()
