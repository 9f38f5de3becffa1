"""Archives and watches at the worker's own link: what they leave open, and what a tree of the guest's own making does to them."""

import bz2
import gzip
import io
import json
import lzma
import os
import socket
import tarfile
import unittest

from .support import ROOT, WorkerTest


class ErrandTest(WorkerTest):
    def begin(self, op, **fields):
        answer = self.worker.call(op, **fields)
        self.assertTrue(answer["ok"], answer)
        stream = socket.socket(fileno=answer["fd"])
        stream.settimeout(120)
        self.addCleanup(stream.close)
        return stream

    def unpack(self, data):
        """The code of the refusal, or "ok"."""
        stream = self.begin("unpack", path="/workspace/in")
        try:
            stream.sendall(data)
            stream.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused before all was sent
        stream.close()
        answer = self.worker.call("end")
        self.said = answer.get("message")
        return "ok" if answer["ok"] else answer["code"]

    def test_what_is_packed_is_what_was_there(self):
        os.makedirs(self.tree.at("workspace/d/e"))
        self.tree.write("workspace/d/e/f", "content")
        self.tree.write("workspace/d/" + "n" * 200)
        os.symlink("/etc/passwd", self.tree.at("workspace/d/link"))
        os.mkfifo(self.tree.at("workspace/d/fifo"))
        stream = self.begin("pack", path="/workspace/d")
        with stream.makefile("rb") as file:
            archive = tarfile.open(fileobj=io.BytesIO(file.read()))
        self.assertEqual(archive.getnames(), [".", "e", "e/f", "link", "n" * 200])
        self.assertEqual(archive.extractfile("e/f").read(), b"content")
        self.assertEqual(archive.getmember("link").linkname, "/etc/passwd")
        self.assertEqual(self.worker.call("end")["entries"], 5)
        stream.close()
        self.assert_no_leak()

    @unittest.skipUnless(ROOT, "a fault would write outside; only a worker that can't is asked")
    def test_no_archive_leads_out(self):
        for name in ("../secret", "/secret", "a/../../../secret", "door/secret"):
            data = io.BytesIO()
            with tarfile.open(fileobj=data, mode="w") as archive:
                door = tarfile.TarInfo("door")
                door.type, door.linkname = tarfile.SYMTYPE, "../.."
                archive.addfile(door)
                entry = tarfile.TarInfo(name)
                entry.size = 3
                archive.addfile(entry, io.BytesIO(b"bad"))
            self.assertEqual(self.unpack(data.getvalue()), "refused_entry", name)
            self.assertEqual(os.listdir(self.tree.at("workspace/in")), ["door"], name)
        self.assert_untouched()
        self.assert_no_leak()

    @unittest.skipUnless(ROOT, "a fault would write outside; only a worker that can't is asked")
    def test_bytes_that_are_no_archive_end_it(self):
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w", format=tarfile.PAX_FORMAT) as archive:
            entry = tarfile.TarInfo("é" * 100)
            entry.size = 1000
            archive.addfile(entry, io.BytesIO(b"x" * 1000))
        whole = data.getvalue()
        for cut in (0, 1, 511, 512, 700, 1024, 2000, 2500):
            self.assertEqual(self.unpack(whole[:cut]), "bad_archive", cut)
            self.assertEqual(os.listdir(self.tree.at("workspace/in")), [], cut)
        for at in range(0, 1600, 7):
            broken = bytearray(whole)
            broken[at] ^= 0xFF
            self.assertIn(self.unpack(bytes(broken)), ("bad_archive", "refused_entry", "invalid_path", "ok"), at)
        self.assert_untouched()
        self.assert_no_leak()

    @unittest.skipUnless(ROOT, "a fault would write outside; only a worker that can't is asked")
    def test_a_compressed_archive_is_told_what_it_is(self):
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode="w") as archive:
            entry = tarfile.TarInfo("BZh.txt")  # begins as bzip2 does, and is a header all the same
            entry.size = 5000
            archive.addfile(entry, io.BytesIO(os.urandom(5000)))
        self.assertEqual(self.unpack(data.getvalue()), "ok")
        for name, compress in (("gzip", gzip.compress), ("bzip2", bz2.compress), ("xz", lzma.compress)):
            for content in (data.getvalue(), b""):
                self.assertEqual(self.unpack(compress(content)), "bad_archive", name)
                self.assertIn("it begins as a %s file; send it uncompressed" % name, self.said)
        self.assert_no_leak()

    def test_a_watch_begins_tells_and_ends_with_the_folder(self):
        os.mkdir(self.tree.at("workspace/d"))
        with self.begin("watch", path="/workspace/d", recursive=True).makefile("rb") as lines:
            self.assertEqual(json.loads(lines.readline()), {"kind": "started", "path": "/workspace/d"})
            os.makedirs(self.tree.at("workspace/d/one/two"))
            self.tree.write("workspace/d/one/two/three")
            seen = []
            while {"kind": "created", "path": "/workspace/d/one/two/three"} not in seen:
                seen.append(json.loads(lines.readline()))
            os.unlink(self.tree.at("workspace/d/one/two/three"))
            for folder in ("one/two", "one", ""):
                os.rmdir(self.tree.at("workspace/d", folder))
            rest = [json.loads(line) for line in lines]
            self.assertIn({"kind": "removed", "path": "/workspace/d/one"}, rest)
        self.assertEqual(self.worker.code("end"), "ok")
        self.assert_no_leak()

    def test_who_hangs_up_ends_it(self):
        with self.begin("watch", path="/workspace") as line:
            self.assertEqual(line.recv(7), b'{"kind"')  # before that there would be something it could not send
        self.assertEqual(self.worker.code("end"), "ok")
        self.begin("pack", path="/workspace").close()
        self.assertIn(self.worker.code("end"), ("busy", "ok"))
        self.assert_no_leak()
