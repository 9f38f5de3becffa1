"""stdout, stderr, stdin."""
import os
import time
import unittest

from .harness import KernelTest


class Streams(KernelTest):
    def test_stdout_and_stderr_apart(self):
        run = self.run_ok("import sys\nprint('out')\nprint('err', file=sys.stderr)")
        self.assertEqual(("out\n", "err\n"), (run.out, run.err))

    def test_a_line_arrives_while_the_cell_still_runs(self):
        def watch(run, kernel):
            if run.stdout:
                open(go, "w").close()

        go = os.path.join(self.kernel.work, "go")
        self.run_ok("import os, time\nprint('now')\nwhile not os.path.exists('go'): time.sleep(0.01)", watch=watch)

    def test_unfinished_line_arrives_at_the_end(self):
        self.assertEqual("a", self.run_ok("print('a', end='')").out)

    def test_c_level_output_is_flushed(self):
        # Fully buffered, whatever PYTHONUNBUFFERED did to the C library of the process the tests run in.
        run = self.run_ok("import ctypes\nc = ctypes.CDLL(None)\nout = ctypes.c_void_p.in_dll(c, 'stdout')\n"
                          "b = ctypes.create_string_buffer(4096)\nc.setvbuf(out, b, 0, 4096)\nc.printf(b'from C\\n')\nNone")
        self.assertEqual("from C\n", run.out)

    def test_a_megabyte_at_once_and_in_lines(self):
        self.assertEqual(1_000_001, len(self.run_ok("print('x' * 1000000)").stdout))
        self.assertEqual(1_000_000, len(self.run_ok("for i in range(10000): print('x' * 99)").stdout))

    def test_a_logging_handler_of_the_first_cell_writes_in_the_second(self):
        self.run_ok("import logging\nlog = logging.getLogger('t')\nlog.addHandler(logging.StreamHandler())")
        self.assertEqual("heard\n", self.run_ok("log.warning('heard')").err)

    def test_stream_objects_stay_the_same(self):
        self.run_ok("import sys\nsaved = sys.stdout, sys.stderr, sys.stdin")
        self.assertEqual("(True, True, True)", self.value(
            "(saved[0] is sys.stdout, saved[1] is sys.stderr, saved[2] is sys.stdin)"))

    def test_closed_replaced_and_detached_streams_come_back(self):
        for code in ("import sys\nsys.stdout.close()", "import io\nsys.stdout = io.StringIO()", "sys.stdout.detach();",
                     "sys.stdout = None", "del sys.stdout", "sys.stdout.reconfigure(encoding='ascii')",
                     "w = io.TextIOWrapper(sys.stdout.buffer); del w", "import os; os.close(1)", "os.closerange(0, 3)"):
            with self.subTest(code):
                self.kernel.run(code)
                self.assertEqual("back é\n", self.run_ok("import sys\nprint('back é')").out)

    def test_output_of_a_leftover_thread_does_not_reach_the_channel_of_no_run(self):
        self.run_ok("import os, threading, time\ndef late():\n    while not os.path.exists('go'): time.sleep(0.01)\n"
                    "    print('late')\n    open('went', 'w').close()\nthreading.Thread(target=late).start()")
        self._go()
        self.assertEqual("next\n", self.run_ok("print('next')").out)

    def _go(self):
        """Lets a thread that was left behind go on between two runs, and waits until it did what it was to do."""
        open(os.path.join(self.kernel.work, "go"), "w").close()
        while not os.path.exists(os.path.join(self.kernel.work, "went")):
            time.sleep(0.005)

    def test_a_flush_that_guest_code_replaced_keeps_nothing_back(self):
        self.assertEqual("told", self.run_ok("import sys\nsys.stdout.flush = lambda: 1 / 0\nprint('told', end='')").out)
        self.assertEqual("error", self.kernel.run("sys.stdout.buffer.flush = lambda: 1 / 0").status)
        self.assertEqual("error", self.kernel.run("pass").status)  # its own doing, and what it cost is a run
        self.run_ok("del sys.stdout.buffer.flush")

    def test_a_value_is_told_once_when_a_flush_forks(self):
        run = self.run_ok("import os, sys\nclass T:\n    def write(self, text): pass\n    def flush(self):\n        child = os.fork()\n"
                          "        if child: os.waitpid(child, 0)\nsys.stderr = T()\n7")
        self.assertEqual(("7", ""), (run.text, run.out))

    def test_what_guest_code_keeps_until_a_flush_is_told_by_it(self):
        self.assertEqual("told\n", self.run_ok("import sys\nkept = []\nsys.stdout.write = lambda text: kept.append(text) or len(text)\n"
                                               "def flush():\n    while kept: type(sys.stdout).write(sys.stdout, kept.pop(0))\n"
                                               "sys.stdout.flush = flush\nprint('told')").out)

    def test_what_ends_the_flush_of_another_stream_keeps_nothing_back(self):
        run = self.kernel.run("import sys\nclass T:\n    def write(self, text): pass\n    def flush(self): raise SystemExit(3)\n"
                              "sys.stderr = T()\nprint('kept', end='')")
        self.assertEqual(("exit", "kept"), (run.status, run.out))

    def test_what_the_flush_of_another_stream_writes_belongs_to_its_run(self):
        self.assertEqual("told", self.run_ok("import sys\nclass T:\n    def write(self, text): pass\n    def flush(self): sys.__stdout__.write('told')\n"
                                             "sys.stderr = T()").out)
        self.assertEqual("next\n", self.run_ok("print('next')").out)

    def test_what_a_failed_flush_left_reaches_no_later_run(self):
        for code in ("class D:\n    def __del__(self): print('lost', end='')\nd = D()\ndel d\n1/0",
                     "def f():\n    d = D()\n    1/0\nf()"):
            with self.subTest(code):
                self.kernel.run(code)
                self.assertEqual("next\n", self.run_ok("print('next')").out)

    def test_what_nobody_took_reaches_no_later_run(self):
        run, ends = self.kernel.start("import ctypes\nc = ctypes.CDLL(None)\nc.setvbuf(ctypes.c_void_p.in_dll(c, 'stdout'), None, 0, 4096)\n"
                                      "import os\nwhile not os.path.exists('closed'): pass\nprint('lost', end=''); c.printf(b'lost');")
        for end in ends:
            os.close(end)
        open(os.path.join(self.kernel.work, "closed"), "w").close()
        self.assertEqual("next\n", self.run_ok("print('next')").out)

    def test_warnings_show_in_every_cell(self):
        for _ in range(2):
            self.assertIn("UserWarning: careful", self.run_ok("import warnings\nwarnings.warn('careful')").err)

    def test_surrogates_are_shown_not_raised(self):
        self.assertEqual("\\ud800\n", self.run_ok("print('\\ud800')").out)

    def test_between_runs_the_descriptors_are_null(self):
        self.run_ok("import threading, os, time\nseen = []\ndef look():\n    while not os.path.exists('go'): time.sleep(0.01)\n"
                    "    seen.extend(os.readlink('/proc/self/fd/%d' % n) for n in (0, 1, 2))\n"
                    "    open('went', 'w').close()\nthreading.Thread(target=look).start()\nos.dup2(1, 0);")
        self.kernel.until_idle()
        self._go()
        self.assertEqual(str(["/dev/null"] * 3), self.value("seen"))

    def test_no_descriptor_leaks(self):
        count = "import os\nlen(os.listdir('/proc/self/fd'))"
        first = self.value(count)
        for _ in range(20):
            self.run_ok("print(1)")
        self.assertEqual(first, self.value(count))

    def test_a_run_nobody_listens_to_ends_silently(self):
        import os
        run, ends = self.kernel.start("for i in range(2000): print('x' * 100)\ndisplay('y' * 200000)\nz = 5")
        for end in ends:
            os.close(end)
        # print meets a closed pipe: the cell fails with BrokenPipeError, told to nobody; the kernel goes on.
        self.alive()
        self.assertEqual("", self.run_ok("pass").out)


class Stdin(KernelTest):
    def test_input_says_why_not(self):
        run = self.kernel.run("input('name? ')")
        self.assertEqual("EOFError", run.error["name"])
        self.assertIn("input() is not available in a sandbox run", run.error["value"])
        self.assertNotIn("kernel", run.trace)

    def test_getpass_says_why_not(self):
        run = self.kernel.run("import getpass\ngetpass.getpass()")
        self.assertIn("getpass() is not available", run.error["value"])

    def test_stdin_is_empty_again_in_the_next_run(self):
        for code in ("a, b = os.pipe()\nos.write(b, b'mine')\nos.dup2(a, 0);", "os.dup2(2, 0);", "os.close(0)"):
            with self.subTest(code):
                self.run_ok("import os\n" + code)
                self.assertEqual("('/dev/null', b'')", self.value("(os.readlink('/proc/self/fd/0'), os.read(0, 9))"))

    def test_stdin_is_empty(self):
        self.assertEqual("('', [], b'')", self.value("import sys, os\n(sys.stdin.read(), list(sys.stdin), os.read(0, 9))"))


if __name__ == "__main__":
    unittest.main()
