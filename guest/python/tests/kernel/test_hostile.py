"""Guest code against its kernel: it may lose its own, it must not confuse the engine, and most of it is survived."""
import os
import time
import unittest

from .harness import Kernel, KernelTest


class Builtins(KernelTest):
    def test_broken_builtins_are_survived_and_restored(self):
        for name in ("print", "open", "isinstance", "len", "type", "getattr", "repr", "str", "int", "map", "compile",
                     "eval", "exec", "__import__", "BaseException", "Exception", "KeyboardInterrupt", "tuple", "list"):
            for action in ("builtins.%s = None", "del builtins.%s"):
                with self.subTest(action % name):
                    run = self.kernel.run("import builtins\n" + action % name + "\n{'a': [1, 2]}")
                    self.assertEqual("ok", run.status)
                    self.assertEqual("{'a': [1, 2]}", run.text)
                    self.assertEqual("3\n", self.run_ok("print(len([1, 2, 3]))").out)

    def test_all_builtins_gone(self):
        run = self.kernel.run("import builtins\nbuiltins.__dict__.clear()\nundefined")
        self.assertEqual("error", run.status)
        self.alive()

    def test_error_with_broken_builtins_is_told(self):
        run = self.kernel.run("import builtins\nbuiltins.len = builtins.isinstance = builtins.getattr = None\n1/0")
        self.assertEqual("ZeroDivisionError", run.error["name"])
        self.assertIn('"<cell 1>", line 3', run.trace)

    def test_own_additions_to_builtins_stay(self):
        self.run_ok("import builtins\nbuiltins.mine = 5")
        self.assertEqual("5", self.value("mine"))

    def test_namespace_cleared(self):
        self.run_ok("globals().clear()")
        self.assertEqual("('__main__', '__main__')", self.value("class A: pass\n(__name__, A.__module__)"))
        self.run_ok("__builtins__ = {}")
        self.assertEqual("3", self.value("len('abc')"))

    def test_sys_modules_cleared(self):
        self.run_ok("import sys\nsys.modules.clear()")
        self.assertEqual("2", self.value("1+1"))
        self.assertEqual("error", self.kernel.run("1/0").status)

    def test_standard_library_broken(self):
        run = self.kernel.run("import json, os, struct, traceback, linecache, io\n"
                              "json.dumps = os.write = os.close = os.dup2 = struct.pack = os.getpid = None\n"
                              "traceback.TracebackException = None\nlinecache.cache = None\n1/0")
        self.assertEqual(("error", "ZeroDivisionError"), (run.status, run.error["name"]))
        self.alive()

    def test_tracers_and_recursion_limit_left_behind(self):
        for code in ("import sys\ndef t(*a): return t\nsys.settrace(t)", "sys.setprofile(lambda *a: None)",
                     "def bad(f, e, a): raise ValueError\nsys.settrace(bad)",
                     "sys.setrecursionlimit(40)\n1/0", "sys.setswitchinterval(10)"):
            with self.subTest(code):
                self.kernel.run(code)
                self.alive()
                self.assertEqual("error", self.kernel.run("def f(): return f()\nf()").status)

    def test_main_module_taken(self):
        self.run_ok("import sys\nx = 3\nsys.modules['__main__'] = None")
        self.assertEqual("(3, True)", self.value("(x, sys.modules['__main__'].x == 3)"))


class Forgery(KernelTest):
    def test_frames_on_stdout_are_bytes(self):
        code = ("import struct, json\nbody = json.dumps({'t': 'done', 'run': 'x', 'status': 'ok'}).encode()\n"
                "frame = struct.pack('>I', len(body)) + body\nimport os\nos.write(1, frame); os.write(2, frame)\n'honest'")
        run = self.run_ok(code)
        self.assertEqual("'honest'", run.text)
        self.assertEqual(run.stdout, run.stderr)
        self.assertIn(b'"done"', run.stdout)

    def test_what_is_written_to_the_control_link_is_not_read_by_the_kernel(self):
        self.run_ok("import os, struct\nbody = b'{\"t\":\"execute\",\"run\":\"x\",\"code\":\"1\"}'\n"
                    "os.write(3, struct.pack('>I', len(body)) + body);")
        self.alive()

    def test_closed_control_link_ends_the_kernel(self):
        self.kernel.run("import os\nos.close(3)")
        self.assertIsNotNone(self.kernel.wait())

    def test_a_control_link_that_guest_code_made_impatient_is_waited_on(self):
        for code in ("os.set_blocking(3, False)", "socket.socket(fileno=os.dup(3)).setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack('ll', 0, 1000))"):
            with self.subTest(code):
                self.run_ok("import os, socket, struct\n" + code)
                # Both lapse while nothing comes, and a message that comes in pieces is put together.
                time.sleep(0.05)
                body = b'{"t":"checkpoint","text":"' + b"x" * 40_000 + b'"}'
                for piece in (b"\0", b"\0" + (len(body)).to_bytes(2, "big"), body[:1], body[1:20_000], body[20_000:]):
                    self.kernel.control.sendall(piece)
                    time.sleep(0.01)
                self.alive()
                self.assertEqual("(True, 0)", self.run_ok(
                    "link = socket.socket(fileno=os.dup(3))\n"
                    "os.get_blocking(3), sum(link.getsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, 16))").text)

    def test_run_descriptors_are_not_inherited(self):
        run = self.run_ok("import subprocess\nprint(subprocess.run(['ls', '/proc/self/fd'], capture_output=True, text=True,"
                          " close_fds=False).stdout)")
        self.assertEqual(["0", "1", "2", "3"], run.out.split())  # 3 is ls's own view of the directory

    def test_an_execute_without_descriptors_or_configure_ends_the_kernel(self):
        self.kernel.send({"t": "execute", "run": "00", "code": "1"})
        self.assertIsNotNone(self.kernel.wait())
        bare = Kernel(configure=False)
        self.addCleanup(bare.close)
        _, ends = bare.start("1")
        self.assertIsNotNone(bare.wait())
        for end in ends:
            os.close(end)


class Reprs(KernelTest):
    def test_a_repr_that_raises(self):
        run = self.kernel.run("class R:\n    def __repr__(self): raise ValueError('no')\nR()")
        self.assertEqual(("error", "ValueError"), (run.status, run.error["name"]))
        self.assertIn("in __repr__", run.trace)

    def test_kernel_frames_in_the_middle_are_left_out(self):
        run = self.kernel.run("class R:\n    def __repr__(self): raise ValueError('no')\ndef f():\n    display([R()])\nf()")
        self.assertEqual(["f()", "display([R()])"],
                         [line.strip() for line in run.trace.split("\n") if line.strip() in ("f()", "display([R()])")])
        self.assertIn("in __repr__", run.trace)
        self.assertNotIn("kernel", run.trace)

    def test_a_repr_that_is_no_text(self):
        self.assertEqual("TypeError", self.kernel.run("class R:\n    def __repr__(self): return 5\nR()").error["name"])

    def test_a_repr_that_recurs(self):
        self.assertEqual("RecursionError",
                         self.kernel.run("class R:\n    def __repr__(self): return repr(self)\nR()").error["name"])

    def test_a_repr_that_spins(self):
        run = self.kernel.run("class R:\n    def __repr__(self):\n        print('in')\n        while True: pass\n[R()]", interrupt="in")
        self.assertEqual("interrupted", run.status)
        self.alive()

    def test_a_repr_of_a_hundred_megabytes(self):
        run = self.run_ok("class R:\n    def __repr__(self): return 'x' * 100_000_000\nR()")
        self.assertLessEqual(len(run.text), (1 << 20) + 1)
        self.assertEqual(["text_cut"], [notice["code"] for notice in run.notices])

    def test_a_repr_that_exits(self):
        run = self.kernel.run("class R:\n    def __repr__(self): raise SystemExit(9)\nR()")
        self.assertEqual(("exit", 9), (run.status, run.done["exit_code"]))

    def test_rich_form_that_raises_is_reported_beside_the_plain_one(self):
        run = self.run_ok("class R:\n    def __repr__(self): return 'plain'\n    def _repr_html_(self): 1/0\nR()")
        self.assertEqual({"text/plain": "plain"}, run.result)
        self.assertIn("ZeroDivisionError", run.err)

    def test_display_without_end_stays_within_the_limits(self):
        run = self.run_ok("import os\nfor i in range(9_900): display(i)\npid = os.fork()\nif pid: os.waitpid(pid, 0)\n5")
        self.assertEqual((None, "5\n", ["display_limit"]), (run.result, run.out, [notice["code"] for notice in run.notices]))
        run = self.run_ok("for i in range(12000): display(i)")
        self.assertLess(run.frames, 10_000)
        self.assertEqual(["display_limit"], [notice["code"] for notice in run.notices])
        run = self.run_ok("class H:\n    def _repr_html_(self): return 'é' * 1_500_000\nfor i in range(10): display(H())")
        total = sum(len(value.encode()) for display in run.displays for value in display["data"].values())
        self.assertTrue(10 << 20 < total <= 16 << 20, total)
        self.assertEqual(["display_limit"], [notice["code"] for notice in run.notices])


if __name__ == "__main__":
    unittest.main()
