"""Tracebacks."""
import unittest

from .harness import KernelTest


class Tracebacks(KernelTest):
    def fails(self, code, name):
        run = self.kernel.run(code)
        self.assertEqual(("error", name), (run.status, run.error["name"]))
        self.assertNotIn("kernel", run.trace)
        return run

    def test_exact_text(self):
        run = self.fails("def f(x):\n    return 1 / x\n\nf(0)", "ZeroDivisionError")
        lines = [line for line in run.trace.split("\n") if set(line.strip()) - set("^~ ")]
        self.assertEqual(["Traceback (most recent call last):", '  File "<cell 1>", line 4, in <module>', "    f(0)",
                          '  File "<cell 1>", line 2, in f', "    return 1 / x", "ZeroDivisionError: division by zero"],
                         [line for line in lines])
        self.assertEqual("division by zero", run.error["value"])

    def test_each_cell_has_its_own_lines(self):
        self.run_ok("def f():\n    raise ValueError('from the first')")
        run = self.fails("\n\nf()", "ValueError")
        self.assertIn('File "<cell 2>", line 3', run.trace)
        self.assertIn("    raise ValueError('from the first')", run.trace)

    def test_syntax_error_with_caret(self):
        run = self.fails("x = 1\ny = = 2", "SyntaxError")
        self.assertEqual(['  File "<cell 1>", line 2', "    y = = 2", "        ^"], run.trace.split("\n")[:3])
        self.assertNotIn("Traceback", run.trace)
        self.fails("if x:\npass", "IndentationError")
        self.fails("x = 'unfinished", "SyntaxError")
        self.assertIn(self.kernel.run("x = \0").error["name"], ("ValueError", "SyntaxError"))

    def test_a_bad_cell_runs_no_line(self):
        self.run_ok("ran = False")
        self.fails("ran = True\nx ===", "SyntaxError")
        self.assertEqual("False", self.value("ran"))

    def test_chains(self):
        run = self.fails("try:\n    1/0\nexcept Exception as e:\n    raise KeyError('k') from e", "KeyError")
        self.assertIn("ZeroDivisionError", run.trace)
        self.assertIn("direct cause", run.trace)
        run = self.fails("try:\n    1/0\nexcept Exception:\n    undefined", "NameError")
        self.assertIn("During handling", run.trace)

    def test_groups(self):
        run = self.fails("raise ExceptionGroup('both', [ValueError(1), TypeError(2)])", "ExceptionGroup")
        self.assertIn("ValueError: 1", run.trace)
        self.assertIn("TypeError: 2", run.trace)

    def test_recursion(self):
        run = self.fails("def f(): return f()\nf()", "RecursionError")
        self.assertIn("repeated", run.trace)
        self.assertLess(len(run.trace), 4000)
        self.alive()

    def test_very_deep_recursion(self):
        run = self.fails("import sys\nsys.setrecursionlimit(50000)\ndef f(n): return f(n + 1) if n < 40000 else 1/0\nf(0)",
                         "ZeroDivisionError")
        self.assertLessEqual(len(run.trace.encode()), 65_536)

    def test_a_cell_that_awaits_is_told_like_any_other(self):
        run = self.fails("import asyncio\nawait asyncio.sleep(0)\n1/0", "ZeroDivisionError")
        self.assertTrue(run.trace.startswith('Traceback (most recent call last):\n  File "<cell '), run.trace)
        own = self.fails("loop = asyncio.new_event_loop()\nasync def fail(): 1/0\nloop.run_until_complete(fail())", "ZeroDivisionError")
        self.assertIn("base_events.py", own.trace)  # the caller's own use of a loop is shown

    def test_a_long_traceback_keeps_head_and_tail(self):
        run = self.fails("raise ValueError('é' * 200000)", "ValueError")
        self.assertLessEqual(len(run.trace.encode()), 65_536)
        self.assertTrue(run.trace.startswith("Traceback"))
        self.assertTrue(run.trace.endswith("éé"))
        self.assertIn("bytes of traceback cut", run.trace)
        self.assertLess(len(run.error["value"]), 17_000)

    def test_library_frames_are_kept(self):
        self.assertIn("json", self.fails("import json\njson.loads('{')", "JSONDecodeError").trace)

    def test_exceptions_that_cannot_be_shown(self):
        for body in ("raise RuntimeError", "return 5", "return 'x' * 10_000_000", "raise SystemExit"):
            with self.subTest(body):
                run = self.kernel.run("class E(Exception):\n    def __str__(self): %s\nraise E" % body)
                self.assertEqual(("error", "E"), (run.status, run.error["name"]))
        self.alive()

    def test_an_exception_whose_str_spins_can_be_interrupted(self):
        run = self.kernel.run("class E(Exception):\n    def __str__(self):\n        print('in')\n        while True: pass\nraise E", interrupt="in")
        self.assertEqual(("error", "E"), (run.status, run.error["name"]))
        self.alive()

    def test_base_exceptions_and_hostile_classes(self):
        run = self.kernel.run("class M(type):\n    def __getattribute__(s, n): raise BaseException\n"
                              "class E(BaseException, metaclass=M): pass\nraise E")
        self.assertEqual("error", run.status)
        self.alive()

    def test_surrogates_in_an_error(self):
        self.assertEqual("error", self.kernel.run("raise ValueError('\\udc80')").status)
        self.alive()


if __name__ == "__main__":
    unittest.main()
