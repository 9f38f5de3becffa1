"""Paths and names of every kind."""

import os

from .support import WorkerTest


class PathsTest(WorkerTest):
    def test_only_the_roots_can_be_named(self):
        for path in ("/", "/etc/passwd", "/dev/shm/x", "/home", "/home/other", "/workspace/../etc/passwd", "../..", "..",
                     "/../workspace/x", "/tmpx", "../tmp/../secret"):
            self.assertEqual(self.worker.read(path), "outside_roots", path)
        self.assertEqual(self.worker.read("../tmp/none"), "not_found")

    def test_paths_that_are_none(self):
        for path in ("", "a\0b", "/workspace/" + "x" * 256, "a/" * 2100, None, 7, ["a"], "%", "%zz", "100%", "\ud800"):
            self.assertEqual(self.worker.read(path), "invalid_path", path)
        self.assertEqual(self.worker.read("%00"), "invalid_path")
        self.assertEqual(self.worker.read("/workspace/%2e%2e/%2e%2e/etc/passwd"), "outside_roots")
        self.assertEqual(self.worker.read("%2Fetc%2Fpasswd"), "outside_roots")

    def test_every_name_survives_the_way_there_and_back(self):
        raw_names = [b"new\nline", b"tab\t\x01\x7f", b"\xff\xfe\x80", b"100%", b"%41", "ü漢😀".encode(), b" ", b"-rf", b"\xed\xa0\x80", b"\\", b'"', b"x" * 255]
        base = os.fsencode(self.tree.at("workspace"))
        for name in raw_names:
            with open(base + b"/" + name, "wb") as file:
                file.write(name)
        entries, _ = self.worker.list("/workspace")
        self.assertEqual(len(entries), len(raw_names))
        self.assertEqual({self.worker.read(entry["path"]) for entry in entries}, set(raw_names))
        self.assertIn("/workspace/%FF%FE%80", [entry["path"] for entry in entries])
        self.assertIn("/workspace/100%25", [entry["path"] for entry in entries])
        for entry in entries:
            self.assertEqual(self.worker.code("remove", path=entry["path"]), "ok")
        self.assertEqual(os.listdir(base), [])

    def test_a_link_target_that_is_not_utf8(self):
        os.symlink(b"\xff\n", os.fsencode(self.tree.at("workspace/link")))
        status = self.worker.call("stat", path="/workspace/link", follow=False)["stat"]
        self.assertEqual(status["link_target"], "%FF\n")


class RequestsTest(WorkerTest):
    def test_bad_requests_are_answered_and_survived(self):
        for request in ({"id": 5}, {"id": 5, "op": "fly"}, {"id": 5, "op": ["read"]}, {"id": 5, "op": "list", "path": "/tmp", "depth": "1"},
                        {"id": 5, "op": "list", "path": "/tmp", "depth": 65}, {"id": 5, "op": "list", "path": "/tmp", "limit": -1},
                        {"id": 5, "op": "write", "path": "/tmp/x", "mode": True}, {"id": 5, "op": "write", "path": "/tmp/x", "parents": 1}):
            self.worker.send({"t": "file", **request})
            answer = self.worker.receive()
            self.assertEqual((answer["id"], answer["ok"], answer["code"]), (5, False, "bad_request"), request)
        for request in ({"op": "usage"}, {"op": "usage", "id": "1"}):
            self.worker.send({"t": "file", **request})
            self.assertEqual(self.worker.receive()["code"], "bad_request")
        self.assertEqual(self.worker.code("commit", token=["x"]), "not_found")
        self.assertEqual(self.worker.code("usage"), "ok")

    def test_bad_frames_are_answered_and_survived(self):
        deep = b"[" * 100_000
        for body in (b"{", b"[]", b"\xff", deep):
            self.worker.send_raw(len(body).to_bytes(4, "big") + body)
            self.assertEqual(self.worker.receive()["code"], "bad_request")
        self.worker.send_raw(b"\0\0\0\0")
        self.assertEqual(self.worker.receive()["code"], "bad_request")
        self.worker.send_raw((3 << 20).to_bytes(4, "big") + b"x" * (3 << 20))
        self.assertEqual(self.worker.receive()["code"], "bad_request")
        self.worker.send({"t": "of a later generation", "id": 1})
        self.assertEqual(self.worker.code("usage"), "ok")

    def test_the_worker_has_given_up_what_it_does_not_need(self):
        self.worker.call("usage")
        with open("/proc/%d/status" % self.worker.pid) as file:
            self.assertIn("NoNewPrivs:\t1", file.read())
        with open("/proc/%d/limits" % self.worker.pid) as file:
            limit = next(line for line in file if line.startswith("Max open files"))
        self.assertLessEqual(int(limit.split()[3]), 256)
