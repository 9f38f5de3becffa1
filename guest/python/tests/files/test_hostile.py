"""A tree whose owner wants out of it."""

import os
import socket
import stat
import subprocess
import threading
import time
import unittest

from .support import ROOT, WorkerTest

RACES = 10_000


class LinksTest(WorkerTest):
    def test_no_link_leads_out(self):
        links = {
            "passwd": "/etc/passwd", "up": "../../secret", "far": "../" * 40 + "etc/passwd", "host": "/secret",
            "magic": "/proc/self/root/etc/passwd", "descriptor": "/proc/self/fd/0", "working": "/proc/self/cwd",
        }
        for name, target in links.items():
            os.symlink(target, self.tree.at("workspace", name))
        os.symlink("/proc/self/root", self.tree.at("workspace/proc"))
        for name in (*links, "proc/etc/passwd"):
            self.assertEqual(self.worker.read("/workspace/" + name), "not_found", name)
        # A fault here would replace this machine's files, so only a worker that can't reach them is asked to write.
        for name in links if ROOT else ():
            answer = self.worker.put("/workspace/" + name, parents=False)
            self.assertIn(answer.get("code"), ("not_found", "outside_roots"), name)
        self.assert_untouched()
        self.assert_no_leak()

    def test_magic_links_are_refused_where_there_are_some(self):
        """With /proc itself as the tree every process has links out of it; none is followed."""
        from files import syscalls

        root = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
        self.addCleanup(os.close, root)
        pid = str(os.getpid()).encode()
        for path in (pid + b"/root/etc/passwd", pid + b"/cwd", pid + b"/fd/0", pid + b"/exe", b"self/root"):
            with self.assertRaises(OSError, msg=path) as caught:
                os.close(syscalls.open_in_root(root, path, os.O_RDONLY))
            self.assertEqual(caught.exception.errno, 40, path)

    def test_another_file_system_is_not_entered(self):
        from files import syscalls

        root = os.open("/", os.O_RDONLY | os.O_DIRECTORY)
        self.addCleanup(os.close, root)
        with self.assertRaises(OSError) as caught:
            os.close(syscalls.open_in_root(root, b"proc/version", os.O_RDONLY))
        self.assertEqual(caught.exception.errno, 18)

    def test_links_in_circles_end(self):
        os.symlink("b", self.tree.at("workspace/a"))
        os.symlink("a", self.tree.at("workspace/b"))
        self.assertEqual(self.worker.read("/workspace/a"), "not_a_file")
        self.assertEqual(self.worker.put("/workspace/a")["code"], "not_a_file")
        self.assertEqual(self.worker.code("mkdir", path="/workspace/a/c"), "not_a_file")

    def test_a_link_to_a_folder_is_not_overwritten(self):
        os.symlink("/tmp/", self.tree.at("workspace/link"))
        os.symlink("/tmp", self.tree.at("workspace/other"))
        self.assertEqual(self.worker.put("/workspace/link")["code"], "not_a_file")
        self.assertIn(self.worker.put("/workspace/other")["code"], ("outside_roots", "is_a_directory"))
        self.assertTrue(os.path.isdir(self.tree.at("tmp")))

    def test_removing_and_moving_take_the_link_and_not_its_target(self):
        self.tree.write("tmp/kept")
        os.symlink("/tmp", self.tree.at("workspace/link"))
        os.mkdir(self.tree.at("workspace/d"))
        os.symlink("/tmp", self.tree.at("workspace/d/link"))
        os.symlink("../../..", self.tree.at("workspace/d/host"))
        self.assertEqual(self.worker.code("remove", path="/workspace/link", recursive=True), "ok")
        self.assertEqual(self.worker.code("remove", path="/workspace/d", recursive=True), "ok")
        self.assertTrue(os.path.exists(self.tree.at("tmp/kept")))
        self.assert_untouched()

    @unittest.skipUnless(ROOT, "only root can put the worker where a fault does no harm")
    def test_the_folders_above_the_roots_stay(self):
        os.symlink("/", self.tree.at("workspace/top"))
        for path in ("top/tmp", "top/home/user", "top/dev"):
            self.assertEqual(self.worker.code("remove", path="/workspace/" + path, recursive=True), "outside_roots")
            self.assertEqual(self.worker.code("move", **{"from": "/workspace/" + path, "to": "/workspace/x"}), "outside_roots")
        self.assertEqual(self.worker.code("mkdir", path="/workspace/top/new"), "outside_roots")
        self.assertEqual(self.worker.put("/workspace/top/new")["code"], "outside_roots")
        self.assert_untouched()
        self.assert_no_leak()


class RaceTest(WorkerTest):
    def flip(self, step):
        """Run `step` again and again beside the test."""
        stopped = threading.Event()

        def loop():
            while not stopped.is_set():
                try:
                    step()
                except OSError:
                    pass

        thread = threading.Thread(target=loop)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(stopped.set)
        return stopped

    def test_swapping_a_folder_for_a_link_never_opens_what_is_outside(self):
        os.mkdir(self.tree.at("workspace/real"))
        self.tree.write("workspace/real/secret", "inside")
        os.symlink("../..", self.tree.at("workspace/evil"))
        flip, real, evil = (self.tree.at("workspace", name) for name in ("flip", "real", "evil"))

        def step():
            os.rename(real, flip)
            os.rename(flip, real)
            os.rename(evil, flip)
            os.rename(flip, evil)

        self.flip(step)
        seen = set()
        for _ in range(RACES):
            answer = self.worker.call("read", path="/workspace/flip/secret")
            if answer["ok"]:
                seen.add(os.read(answer["fd"], 100))
                os.close(answer["fd"])
            else:
                seen.add(answer["code"])
        self.assertNotIn(b"OUTSIDE", seen)
        self.assertLessEqual(seen, {b"inside", "not_found", "busy"})
        self.assertIn(b"inside", seen)
        self.assert_no_leak()

    def test_removal_beside_swapping_stays_inside(self):
        victim = os.path.join(self.tree.outer, "victim")
        os.makedirs(victim + "/deep")
        with open(victim + "/deep/file", "w") as file:
            file.write("OUTSIDE")
        base = self.tree.at("workspace/base")

        def step():
            os.makedirs(base + "/a/deep", exist_ok=True)
            os.rename(base + "/a", base + "/b")
            os.symlink("../../../victim", base + "/a")
            os.unlink(base + "/a")

        self.flip(step)
        deadline = time.monotonic() + 1.5
        codes = set()
        while time.monotonic() < deadline or ("ok" not in codes and time.monotonic() < deadline + 60):
            codes.add(self.worker.code("remove", path="/workspace/base", recursive=True))
        self.assertTrue(os.path.exists(victim + "/deep/file"))
        self.assertLessEqual(codes, {"ok", "not_found", "busy", "not_empty"})
        self.assertIn("ok", codes)
        self.assert_no_leak()

    def test_removal_never_enters_a_link_that_took_a_folders_place(self):
        from files import removal

        os.mkdir(self.tree.at("tmp/kept"))
        os.symlink("../tmp/kept", self.tree.at("workspace/d"))
        parent = os.open(self.tree.at("workspace"), os.O_RDONLY)
        self.addCleanup(os.close, parent)
        with self.assertRaises(NotADirectoryError):
            os.close(removal._enter(parent, b"d", "/workspace/d"))

    def test_a_folder_moved_during_its_removal_takes_nobody_with_it(self):
        from files import removal
        from files.failures import Failure

        os.makedirs(self.tree.at("workspace/a/b/c"))
        self.tree.write("workspace/keep")
        original = removal._empty
        self.addCleanup(setattr, removal, "_empty", original)
        depth = []

        def moving(*arguments):
            found = original(*arguments)
            depth.append(found)
            if found is None and len(depth) == 3:
                os.rename(self.tree.at("workspace/a/b"), self.tree.at("tmp/b"))
                os.rename(self.tree.at("tmp/b/c"), self.tree.at("workspace/c"))
            return found

        removal._empty = moving
        parent = os.open(self.tree.at("workspace"), os.O_RDONLY)
        self.addCleanup(os.close, parent)
        self.assertRaises(Failure, removal.remove, parent, b"a", "/workspace/a")
        self.assertTrue(os.path.exists(self.tree.at("workspace/keep")))


class SpecialFilesTest(WorkerTest):
    def special(self, name):
        """Refused in every way that reads or writes, at once, and removable."""
        path = "/workspace/" + name
        started = time.monotonic()
        self.assertEqual(self.worker.read(path), "not_a_file")
        self.assertEqual(self.worker.code("write", path=path), "not_a_file")
        self.assertLess(time.monotonic() - started, 60)  # or it would wait for ever for the other end
        kind = self.worker.call("stat", path=path)["stat"]["type"]
        self.assertEqual(self.worker.code("remove", path=path), "ok")
        self.assert_no_leak()
        return kind

    def test_fifo(self):
        os.mkfifo(self.tree.at("workspace/fifo"))
        self.assertEqual(self.special("fifo"), "fifo")

    def test_socket(self):
        with socket.socket(socket.AF_UNIX) as listener:
            previous = os.getcwd()
            os.chdir(self.tree.at("workspace"))
            try:
                listener.bind("socket")
            finally:
                os.chdir(previous)
        self.assertEqual(self.special("socket"), "socket")

    @unittest.skipUnless(ROOT, "only root makes devices")
    def test_device(self):
        os.mknod(self.tree.at("workspace/zero"), 0o666 | stat.S_IFCHR, os.makedev(1, 5))
        self.assertEqual(self.special("zero"), "device")

    def test_a_fifo_at_the_commit(self):
        answer = self.worker.call("write", path="/workspace/a")
        os.close(answer["fd"])
        os.mkfifo(self.tree.at("workspace/a"))
        self.assertEqual(self.worker.code("commit", token=answer["token"]), "not_a_file")
        self.assertEqual(os.listdir(self.tree.at("workspace")), ["a"])

    def test_a_swapped_temporary_file_is_not_committed(self):
        answer = self.worker.call("write", path="/workspace/a")
        os.close(answer["fd"])
        temporary, = os.listdir(self.tree.at("workspace"))
        os.unlink(self.tree.at("workspace", temporary))
        os.symlink("/etc/passwd", self.tree.at("workspace", temporary))
        self.assertEqual(self.worker.code("commit", token=answer["token"]), "busy")
        self.assertEqual(os.listdir(self.tree.at("workspace")), [])

    def test_a_sparse_file_is_told_by_both_sizes(self):
        with open(self.tree.at("workspace/sparse"), "wb") as file:
            file.truncate(1 << 40)
        answer = self.worker.call("read", path="/workspace/sparse")
        os.close(answer["fd"])
        self.assertEqual(answer["stat"]["size_bytes"], 1 << 40)
        self.assertLess(answer["stat"]["allocated_bytes"], 1 << 20)

    def test_hard_links_are_files_like_any_other(self):
        self.tree.write("tmp/one", "same")
        os.link(self.tree.at("tmp/one"), self.tree.at("workspace/two"))
        self.assertTrue(self.worker.put("/workspace/two", b"changed")["ok"])
        self.assertEqual(self.worker.read("/tmp/one"), b"same")
        self.assertEqual(self.worker.code("remove", path="/tmp/one"), "ok")
        self.assertEqual(self.worker.read("/workspace/two"), b"changed")


class DepthTest(WorkerTest):
    levels = 10_000

    def test_a_very_deep_tree_is_listed_and_removed(self):
        here = os.open(self.tree.at("workspace"), os.O_RDONLY)
        for level in range(self.levels):
            os.mkdir("d", dir_fd=here)
            below = os.open("d", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
        os.close(here)
        entries, last = self.worker.list("/workspace", depth=64)
        self.assertEqual(len(entries), 64)
        self.assertEqual(self.worker.code("stat", path="/workspace/" + "d/" * 2000 + "d"), "ok")
        started = time.monotonic()
        self.assertEqual(self.worker.code("remove", path="/workspace/d", recursive=True), "ok")
        self.assertLess(time.monotonic() - started, 120)
        self.assertEqual(os.listdir(self.tree.at("workspace")), [])
        self.assert_no_leak()

    def test_a_removal_that_takes_too_long_says_so(self):
        from files import removal
        from files.failures import Failure

        self.addCleanup(setattr, removal, "MAX_SECONDS", removal.MAX_SECONDS)
        removal.MAX_SECONDS = -1
        os.mkdir(self.tree.at("workspace/d"))
        self.tree.write("workspace/d/a")
        parent = os.open(self.tree.at("workspace"), os.O_RDONLY)
        self.addCleanup(os.close, parent)
        with self.assertRaises(Failure) as caught:
            removal.remove(parent, b"d", "/workspace/d")
        self.assertEqual(caught.exception.code, "busy")


@unittest.skipUnless(ROOT, "only root mounts a file system of a given size")
class QuotaTest(WorkerTest):
    size = 1 << 20

    def test_a_full_disk_is_told_and_survived(self):
        answer = self.worker.call("write", path="/workspace/big")
        with self.assertRaises(OSError):
            while True:
                os.write(answer["fd"], b"x" * 65536)
        os.close(answer["fd"])
        self.assertEqual(self.worker.call("usage")["free_bytes"], 0)
        self.assertEqual(self.worker.code("abort", token=answer["token"]), "ok")
        self.assertGreater(self.worker.call("usage")["free_bytes"], 1 << 19)
        self.assertTrue(self.worker.put("/workspace/small")["ok"])

    def test_used_up_inodes_are_told(self):
        codes = [self.worker.code("mkdir", path="/workspace/%d" % index) for index in range(420)]
        self.assertEqual(codes[-1], "no_space")
        usage = self.worker.call("usage")
        self.assertEqual(usage["used_inodes"], usage["total_inodes"])


class ProgramTest(unittest.TestCase):
    def test_nothing_but_the_standard_library_is_imported(self):
        code = "import sys, files, files.worker; print([m for m in sys.modules if 'site-packages' in str(getattr(sys.modules[m], '__file__', ''))])"
        base = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
        shown = subprocess.run(["/usr/bin/python3", "-S", "-c", code], cwd=base, capture_output=True, text=True, check=True)
        self.assertEqual(shown.stdout.strip(), "[]")
