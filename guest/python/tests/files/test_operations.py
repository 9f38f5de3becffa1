"""What each operation does when nobody is hostile."""

import os
import stat
import time

from .support import WorkerTest


class OperationsTest(WorkerTest):
    def test_a_file_is_read_through_a_descriptor(self):
        self.tree.write("workspace/a.txt", "hello")
        answer = self.worker.call("read", path="/workspace/a.txt")
        with os.fdopen(answer["fd"], "rb") as file:
            self.assertEqual(file.read(), b"hello")
            self.assertRaises(OSError, os.write, file.fileno(), b"x")
        self.assertEqual(answer["stat"]["size_bytes"], 5)
        self.assertEqual(answer["stat"]["type"], "file")
        self.assertEqual(answer["stat"]["path"], "/workspace/a.txt")
        self.assertAlmostEqual(answer["stat"]["modified_ms"] / 1000, time.time(), delta=60)
        self.assertEqual(self.worker.read("a.txt"), b"hello")
        self.assertEqual(self.worker.read("/workspace/./x/../a.txt"), b"hello")
        self.assert_no_leak()

    def test_a_file_is_written_in_one_step(self):
        answer = self.worker.call("write", path="/workspace/new/deep/a.txt", mode=0o666)
        self.assertTrue(answer["ok"], answer)
        os.write(answer["fd"], b"content")
        os.close(answer["fd"])
        self.assertFalse(os.path.exists(self.tree.at("workspace/new/deep/a.txt")))
        done = self.worker.call("commit", token=answer["token"])
        self.assertEqual(done["stat"]["size_bytes"], 7)
        self.assertEqual(stat.S_IMODE(os.stat(self.tree.at("workspace/new/deep/a.txt")).st_mode), 0o644)
        self.assertEqual(os.listdir(self.tree.at("workspace/new/deep")), ["a.txt"])
        self.assertEqual(self.worker.code("commit", token=answer["token"]), "not_found")
        self.assert_no_leak()

    def test_an_aborted_write_leaves_nothing(self):
        answer = self.worker.call("write", path="/workspace/a.txt")
        os.close(answer["fd"])
        self.assertEqual(self.worker.code("abort", token=answer["token"]), "ok")
        self.assertEqual(os.listdir(self.tree.at("workspace")), [])
        self.assert_no_leak()

    def test_overwriting_is_asked_for_and_keeps_the_mode(self):
        self.assertTrue(self.worker.put("/workspace/run.sh", b"1", mode=0o755)["ok"])
        self.assertEqual(self.worker.put("/workspace/run.sh", b"2", overwrite=False)["code"], "already_exists")
        self.assertTrue(self.worker.put("/workspace/run.sh", b"3")["ok"])
        self.assertEqual(self.worker.read("/workspace/run.sh"), b"3")
        self.assertEqual(os.stat(self.tree.at("workspace/run.sh")).st_mode & 0o777, 0o755)

    def test_a_file_that_appears_before_the_commit_is_not_overwritten(self):
        answer = self.worker.call("write", path="/workspace/a", overwrite=False)
        os.close(answer["fd"])
        self.tree.write("workspace/a", "theirs")
        self.assertEqual(self.worker.code("commit", token=answer["token"]), "already_exists")
        self.assertEqual(self.worker.read("/workspace/a"), b"theirs")
        self.assertEqual(os.listdir(self.tree.at("workspace")), ["a"])

    def test_open_writes_are_bounded_and_cleaned_up(self):
        tokens = []
        for index in range(64):
            answer = self.worker.call("write", path="/workspace/%d" % index)
            os.close(answer["fd"])
            tokens.append(answer["token"])
        self.assertEqual(self.worker.code("write", path="/workspace/more"), "too_many_open")
        self.assertEqual(self.worker.code("abort", token=tokens.pop()), "ok")
        self.assertEqual(self.worker.code("write", path="/workspace/more"), "ok")
        self.assertEqual(len(set(tokens)), 63)
        self.worker.close()
        self.assertEqual(os.listdir(self.tree.at("workspace")), [])
        self.doCleanups = lambda: self.tree.close()

    def test_writing_through_a_link_replaces_what_it_points_to(self):
        self.tree.write("tmp/target", "old")
        os.symlink("/tmp/target", self.tree.at("workspace/link"))
        os.symlink("../tmp/fresh", self.tree.at("workspace/dangling"))
        self.assertTrue(self.worker.put("/workspace/link", b"through")["ok"])
        self.assertTrue(self.worker.put("/workspace/dangling", b"made")["ok"])
        self.assertTrue(os.path.islink(self.tree.at("workspace/link")))
        self.assertEqual(self.worker.read("/tmp/target"), b"through")
        self.assertEqual(self.worker.read("/tmp/fresh"), b"made")

    def test_an_absolute_link_within_the_roots_works(self):
        self.tree.write("tmp/x", "over there")
        os.symlink("/tmp/x", self.tree.at("workspace/link"))
        os.symlink("/tmp", self.tree.at("workspace/folder"))
        self.assertEqual(self.worker.read("/workspace/link"), b"over there")
        self.assertEqual(self.worker.read("/workspace/folder/x"), b"over there")

    def test_stat_follows_or_not(self):
        self.tree.write("workspace/a", "four")
        os.symlink("a", self.tree.at("workspace/link"))
        self.assertEqual(self.worker.call("stat", path="/workspace/link")["stat"]["type"], "file")
        own = self.worker.call("stat", path="/workspace/link", follow=False)["stat"]
        self.assertEqual((own["type"], own["link_target"]), ("symlink", "a"))
        self.assertNotIn("link_target", self.worker.call("stat", path="/workspace/a")["stat"])
        self.assertEqual(self.worker.call("stat", path="/workspace")["stat"]["type"], "directory")
        self.assertEqual(self.worker.code("stat", path="/workspace/none"), "not_found")
        self.assertEqual(self.worker.code("stat", path="/workspace/a/b"), "not_a_directory")
        self.assert_no_leak()

    def test_a_listing_is_sorted_nested_and_cut(self):
        for name in ("b", "a", "c/d", "c/e"):
            os.makedirs(os.path.dirname(self.tree.at("workspace", name)), exist_ok=True)
            self.tree.write("workspace/" + name)
        os.symlink("/tmp", self.tree.at("workspace/link"))
        self.tree.write("tmp/hidden")
        flat, _ = self.worker.list("/workspace")
        self.assertEqual([entry["path"] for entry in flat], ["/workspace/" + n for n in ("a", "b", "c", "link")])
        deep, last = self.worker.list("/workspace", depth=5)
        self.assertEqual([entry["path"][11:] for entry in deep], ["a", "b", "c", "c/d", "c/e", "link"])
        self.assertEqual(deep[-1]["link_target"], "/tmp")
        self.assertFalse(last["truncated"])
        cut, last = self.worker.list("/workspace", depth=5, limit=4)
        self.assertEqual(len(cut), 4)
        self.assertTrue(last["truncated"])
        self.assertEqual(self.worker.code("list", path="/workspace/a"), "not_a_directory")
        self.assert_no_leak()

    def test_a_long_listing_comes_in_pages(self):
        for index in range(5000):
            os.mkdir(self.tree.at("workspace/%05d" % index + "x" * 200))
        entries, last = self.worker.list("/workspace")
        self.assertEqual(len(entries), 5000)
        self.assertEqual(entries, sorted(entries, key=lambda entry: entry["path"]))
        self.assertFalse(last["truncated"])
        answer = self.worker.call("list", path="/workspace")
        self.assertTrue(answer["more"])
        while self.worker.receive()["more"]:
            pass

    def test_folders_are_made(self):
        self.assertEqual(self.worker.code("mkdir", path="/workspace/a/b", parents=False), "not_found")
        self.assertEqual(self.worker.code("mkdir", path="/workspace/a/b"), "ok")
        self.assertEqual(self.worker.code("mkdir", path="/workspace/a/b"), "ok")
        self.assertEqual(self.worker.code("mkdir", path="/workspace/a/b", parents=False), "already_exists")
        self.tree.write("workspace/file")
        self.assertEqual(self.worker.code("mkdir", path="/workspace/file"), "not_a_directory")
        self.assert_no_leak()

    def test_removing(self):
        self.tree.write("workspace/file")
        os.makedirs(self.tree.at("workspace/d/e"))
        self.tree.write("workspace/d/e/f")
        self.assertEqual(self.worker.code("remove", path="/workspace/file"), "ok")
        self.assertEqual(self.worker.code("remove", path="/workspace/file"), "not_found")
        self.assertEqual(self.worker.code("remove", path="/workspace/d"), "not_empty")
        os.chmod(self.tree.at("workspace/d/e"), 0o555)
        self.assertEqual(self.worker.code("remove", path="/workspace/d", recursive=True), "ok")
        self.assertEqual(os.listdir(self.tree.at("workspace")), [])
        for root in ("/workspace", "/tmp/", "/home/user"):
            self.assertEqual(self.worker.code("remove", path=root, recursive=True), "not_permitted")
        self.assert_no_leak()

    def test_moving(self):
        self.tree.write("workspace/a", "A")
        self.tree.write("workspace/b", "B")
        move = lambda source, target, **more: self.worker.code("move", **{"from": source, "to": target}, **more)
        self.assertEqual(move("/workspace/a", "/workspace/b"), "already_exists")
        self.assertEqual(move("/workspace/a", "/workspace/b", overwrite=True), "ok")
        self.assertEqual(self.worker.read("/workspace/b"), b"A")
        self.assertEqual(move("/workspace/b", "/home/user/c"), "ok")
        self.assertEqual(move("/workspace/none", "/workspace/x"), "not_found")
        os.mkdir(self.tree.at("workspace/d"))
        self.assertEqual(move("/workspace/d", "/workspace/d/inside"), "invalid_path")
        self.assertEqual(move("/home/user/c", "/workspace/d", overwrite=True), "is_a_directory")
        os.symlink("/tmp", self.tree.at("workspace/link"))
        self.assertEqual(move("/workspace/link", "/workspace/moved"), "ok")
        self.assertTrue(os.path.islink(self.tree.at("workspace/moved")))
        self.assert_no_leak()

    def test_usage_adds_up(self):
        usage = self.worker.call("usage")
        self.assertGreater(usage["total_bytes"], 0)
        self.assertLessEqual(usage["used_bytes"] + usage["free_bytes"], usage["total_bytes"])
        self.assertLessEqual(usage["used_inodes"], usage["total_inodes"])
