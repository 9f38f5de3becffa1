"""What every test of the worker starts from."""

import os
import unittest

from .client import Tree, Worker

ROOT = os.geteuid() == 0


class WorkerTest(unittest.TestCase):
    size = None

    def setUp(self):
        self.tree = Tree(self.size)
        self.addCleanup(self.tree.close)
        self.worker = Worker(self.tree)
        self.addCleanup(self.worker.close)
        self.before = self.descriptors()

    def descriptors(self):
        self.worker.call("usage")
        return len(os.listdir("/proc/%d/fd" % self.worker.pid))

    def assert_no_leak(self):
        self.assertEqual(self.descriptors(), self.before)

    def assert_untouched(self):
        for decoy in self.tree.decoys:
            with open(decoy) as file:
                self.assertEqual(file.read(), "OUTSIDE", decoy)
