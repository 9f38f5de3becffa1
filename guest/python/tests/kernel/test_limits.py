"""Interrupts, the soft memory wall, and what configure sets."""
import os
import signal
import sys
import threading
import time
import unittest

from kernel import signals

from ..processes import halt
from .harness import PATIENCE, Kernel, KernelTest


def _arguments(pid):
    try:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8", errors="replace") as file:
            return file.read().split("\0")
    except OSError:
        return []


def _until_waiting(pid):
    """Waits until the process sleeps in a write to a full pipe."""
    while True:
        with open(f"/proc/{pid}/syscall", encoding="ascii") as file:
            if file.read().split()[0] == "1":
                return
        time.sleep(0.001)


class Interrupts(KernelTest):
    def test_busy_and_sleeping_code(self):
        for code in ("while True: pass", "import time\ntime.sleep(300)", "import os\nr, w = os.pipe()\nos.read(r, 1)",
                     "import threading\nthreading.Event().wait()"):
            with self.subTest(code):
                run = self.kernel.run("kept = 1\nprint('in')\n" + code, interrupt="in")
                self.assertEqual(("interrupted", "KeyboardInterrupt"), (run.status, run.error["name"]))
                self.assertIn("<cell", run.trace)
                self.assertNotIn("kernel", run.trace)
        self.assertEqual("1", self.value("kept"))

    def test_a_shell_command_ends_at_once_and_whole_however_early_or_often_the_interrupt_comes(self):
        for delays in [(0.2,), (0.2, 0.002, 0.002)] + [(0.0002 * step,) for step in range(40)]:
            run, ends = self.kernel.start("!sleep 4321")
            for delay in delays:
                time.sleep(delay)
                self.kernel.interrupt()
            self.kernel.collect(run, ends)
            for fd in ends:
                os.close(fd)
            self.assertEqual("interrupted", run.status)
        self.assertEqual([], [pid for pid in os.listdir("/proc") if pid.isdigit() and _arguments(pid)[:2] == ["sleep", "4321"]])

    def test_idle_kernel_ignores_it(self):
        self.alive()
        for _ in range(50):
            self.kernel.interrupt()
            time.sleep(0.001)
        self.alive()

    def test_an_interrupt_right_behind_the_execute_frame_is_not_lost(self):
        for delay in (0, 0, 0, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4) * 4:
            # A loop and no sleep: a signal between the interpreter's last look and the system call is noticed after the call, in every Python.
            run, ends = self.kernel.start("while True: pass")
            end = time.monotonic() + delay
            while time.monotonic() < end:
                pass
            self.kernel.interrupt()
            self.kernel.collect(run, ends)
            for fd in ends:
                os.close(fd)
            self.assertEqual("interrupted", run.status)

    def test_the_users_handler_is_gone_in_the_next_cell(self):
        self.run_ok("import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
                    "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT]);")
        self.assertEqual("interrupted", self.kernel.run("print('in')\nwhile True: pass", interrupt="in").status)

    def test_swallowed_interrupt_and_a_second_one(self):
        run, ends = self.kernel.start("import time\ntry:\n    print('in')\n    while True: time.sleep(0.01)\nexcept KeyboardInterrupt: print('first', flush=True)\n"
                                      "while True: pass", said="in")
        self.kernel.interrupt()
        self.assertEqual(b"first\n", os.read(ends[0], 99))
        self.kernel.collect(run, ends, interrupt="")
        for end in ends:
            os.close(end)
        self.assertEqual("interrupted", run.status)

    def test_code_that_cleans_up_is_spared_the_repetitions(self):
        for code in ("try:\n    spin()\nfinally:\n    clean()", "try:\n    spin()\nexcept KeyboardInterrupt:\n    clean()\n    raise",
                     "class C:\n    def __enter__(self): pass\n    def __exit__(self, *e): clean()\nwith C():\n    spin()",
                     "try:\n    spin()\nfinally:\n    try: 1 / 0\n    except ArithmeticError: clean()",
                     "import asyncio\ntry:\n    print('in')\n    await asyncio.sleep(300)\nfinally:\n    clean()"):
            with self.subTest(code):
                self.run_ok("import os, signal\nlog = []\ndef spin():\n    print('in')\n    while True: pass\ndef clean():\n    for _ in range(2):\n        os.kill(os.getpid(), signal.SIGINT)\n"
                            "        for _ in range(1000): pass\n        log.append('cleaned')")
                self.assertEqual("interrupted", self.kernel.run(code, interrupt="in", repeat=PATIENCE).status)
                self.assertEqual("['cleaned', 'cleaned']", self.value("log"))

    def test_clean_up_without_end_is_interrupted_before_it_would_be_killed(self):
        run = self.kernel.run("kept = 7\ntry:\n    print('in')\n    while True: pass\nfinally:\n    while True: pass", interrupt="in")
        self.assertEqual("interrupted", run.status)
        self.assertEqual("7", self.value("kept"))

    def test_each_of_several_interrupts_that_code_swallows_reaches_it(self):
        run = self.kernel.run("for i in range(5):\n    try:\n        print('in')\n        while True: pass\n    except KeyboardInterrupt: pass\nprint(i)", interrupt="in")
        self.assertEqual(("ok", "in\n" * 5 + "4\n"), (run.status, run.out))

    def test_what_a_cell_leaves_is_shown_whatever_comes_after_the_interrupt(self):
        run = self.kernel.run("class Late(list):\n    def __repr__(self):\n        import os\n        os.kill(os.getpid(), 2); os.kill(os.getpid(), 2)\n"
                              "        return 'shown'\nimport sys\nclass E(KeyboardInterrupt):\n    def __str__(self):\n        return repr(Late())\n"
                              "try:\n    print('in')\n    while True: pass\nexcept KeyboardInterrupt:\n    raise E from None", interrupt="in", repeat=PATIENCE)
        self.assertEqual(("interrupted", "shown"), (run.status, run.error["value"]))

    def test_a_late_interrupt_of_the_run_before_does_not_hit_the_next(self):
        for _ in range(20):
            halt(self.kernel.pid)  # so that it notices both at once, as on a busy host
            self.kernel.interrupt()
            run, ends = self.kernel.start("sum(range(1000)); 'whole'", stray=True)
            os.kill(self.kernel.pid, signal.SIGCONT)
            self.kernel.collect(run, ends)
            for end in ends:
                os.close(end)
            self.assertEqual(("ok", "'whole'"), (run.status, run.text))
        self.assertEqual("interrupted", self.kernel.run("print('in')\nwhile True: pass", interrupt="in").status)

    def test_a_storm_tears_no_frame_and_loses_no_run(self):
        stop = threading.Event()

        def storm():
            while not stop.is_set():
                os.kill(self.kernel.pid, signal.SIGINT)
                time.sleep(0.0003)

        thread = threading.Thread(target=storm)
        thread.start()
        seen = set()
        try:
            for _ in range(60):
                seen.add(self.kernel.run("for i in range(4): display('x' * 900000); print(i)"
                                         ).status)
                seen.add(self.kernel.run("1/0").status)
        finally:
            stop.set()
            thread.join()
        self.assertLessEqual(seen, {"ok", "interrupted", "error"})
        self.assertIn("interrupted", seen)
        self.alive()

    def test_an_interrupt_in_the_middle_of_a_frame_waits_for_its_end(self):
        run, ends = self.kernel.start("display('x' * 900_000)\nprint('not reached')")
        _until_waiting(self.kernel.pid)  # nobody reads: the kernel sleeps in the middle of the frame
        self.kernel.interrupt()
        self.kernel.collect(run, ends)
        for end in ends:
            os.close(end)
        self.assertEqual(("interrupted", b""), (run.status, run.stdout))
        self.assertEqual(900_002, len(run.displays[0]["data"]["text/plain"]))

    def test_a_cell_that_cannot_write_can_be_interrupted(self):
        run, ends = self.kernel.start("while True: print('x' * 10000)")
        _until_waiting(self.kernel.pid)  # nobody reads: the pipe is full and print sleeps in write
        self.kernel.interrupt()
        self.kernel.collect(run, ends)
        for end in ends:
            os.close(end)
        self.assertEqual("interrupted", run.status)
        self.assertEqual("clean\n", self.run_ok("print('clean')").out)


class SoftMemory(KernelTest):
    options = {"soft_memory": 150 << 20}

    def test_too_much_is_a_memory_error_and_state_stays(self):
        self.run_ok("kept = list(range(1000))")
        run = self.kernel.run("x = bytearray(400 << 20)")
        self.assertEqual(("error", "MemoryError"), (run.status, run.error["name"]))
        self.assertIn('File "<cell 2>", line 1', run.trace)
        self.assertEqual("1000", self.value("len(kept)"))

    def test_memory_filled_with_small_objects_is_reported_and_freed(self):
        for _ in range(3):
            run = self.kernel.run("def fill():\n    hoard = []\n    while True: hoard.append([0] * 50)\nfill()")
            self.assertEqual(("error", "MemoryError"), (run.status, run.error["name"]))
            self.assertIn("<cell", run.trace)
            self.alive()
        self.run_ok("y = bytearray(100 << 20)\ndel y")

    def test_a_full_namespace_can_be_emptied(self):
        run = self.kernel.run("hoard = []\nwhile True: hoard.append(bytearray(65536))")
        self.assertEqual("MemoryError", run.error["name"])
        self.run_ok("del hoard")
        self.run_ok("y = bytearray(100 << 20)")

    def test_the_hard_limit_is_lowered_too(self):
        self.assertEqual("True", self.value("import resource as r\nlow, high = r.getrlimit(r.RLIMIT_DATA)\nlow == high > 0"))
        if os.geteuid():  # root may raise a hard limit as long as it keeps that capability
            self.assertEqual("ValueError", self.kernel.run("r.setrlimit(r.RLIMIT_DATA, (-1, -1))").error["name"])


class Configure(KernelTest):
    options = {"env": {"GIVEN": "é", "TZ": "Asia/Tokyo"}, "seed": "11" * 32}

    def test_environment_is_exactly_the_given_one(self):
        self.assertEqual("['GIVEN', 'HOME', 'LANG', 'MPLBACKEND', 'PATH', 'TZ']", self.value("import os\nsorted(os.environ)"))
        self.assertEqual("'é'", self.value("os.environ['GIVEN']"))
        run = self.run_ok("os.system('/usr/bin/env | /usr/bin/grep -c GIVEN; echo $USER');")
        self.assertEqual("1\n\n", run.out)

    def test_time_zone_and_directory(self):
        self.assertEqual("('JST', True)", self.value("import time, os\n(time.tzname[0], os.getcwd().endswith('/work'))"))

    def test_random_generators_follow_the_seed(self):
        code = "import random\n[random.random() for _ in range(2)]"
        twin, other = Kernel(seed="11" * 32), Kernel(seed="12" * 32)
        self.addCleanup(twin.close)
        self.addCleanup(other.close)
        mine = self.value(code)
        self.assertEqual(mine, twin.run(code).text)
        self.assertNotEqual(mine, other.run(code).text)
        code = "import sys\nn = sys.modules.get('numpy')\nn and list(n.random.rand(2))"
        mine = self.value(code)
        if mine is not None:
            self.assertEqual(mine, twin.run(code).text)
            self.assertNotEqual(mine, other.run(code).text)

    def test_what_is_installed_later_can_be_imported(self):
        self.assertEqual("ModuleNotFoundError", self.kernel.run("import later").error["name"])
        run = self.run_ok("import os, sys, site\nd = site.getusersitepackages()\nassert d in sys.path\nos.makedirs(d)\n"
                          "open(d + '/later.py', 'w').write('x = 6')\nimport later\nlater.x")
        self.assertEqual("6", run.text)
        self.assertEqual("7", self.value("open(d + '/evenlater.py', 'w').write('x = 7')\nimport evenlater\nevenlater.x"))

    def test_until_the_first_run_the_last_configure_counts(self):
        twin = Kernel(seed="12" * 32)
        self.addCleanup(twin.close)
        twin.send({"t": "configure", "env": {"HOME": "/nowhere", "OTHER": "1"}, "cwd": "/", "soft_memory_bytes": None, "seed": "11" * 32})
        self.assertEqual("['HOME', 'MPLBACKEND', 'OTHER'] /\n", twin.run("import os\nprint(sorted(os.environ), os.getcwd())").out)
        self.assertEqual("['/nowhere']", twin.run("import sys\n[p.split('/.local')[0] for p in sys.path if '/.local' in p]").text)
        code = "import random\nrandom.random()"
        self.assertEqual(self.value(code), twin.run(code).text)

    def test_no_path_of_the_first_home_is_left(self):
        twin = Kernel(configure=False)
        self.addCleanup(twin.close)
        site = os.path.join(twin.home, ".local", "lib", "python%d.%d" % sys.version_info[:2], "site-packages")
        os.makedirs(site)
        with open(os.path.join(site, "more.pth"), "w", encoding="ascii") as file:
            file.write(twin.work + "\n")
        code = "import sys\nfor p in sys.path:\n  if p.startswith(%r): print(p)" % twin.home
        for variables in ({"HOME": twin.home}, {}):
            twin.send({"t": "configure", "env": variables, "cwd": "/", "soft_memory_bytes": None, "seed": "11" * 32})
        self.assertEqual("", twin.run(code).out)
        only = Kernel(configure=False)
        self.addCleanup(only.close)
        only.send({"t": "configure", "env": {"HOME": twin.home}, "cwd": "/", "soft_memory_bytes": None, "seed": "11" * 32})
        self.assertEqual("%s\n%s\n" % (site, twin.work), only.run(code).out)

    def test_a_configure_after_a_run_is_ignored(self):
        self.run_ok("1")
        self.kernel.send({"t": "configure", "env": {}, "cwd": "/", "soft_memory_bytes": None, "seed": "00" * 32})
        self.assertEqual("True", self.value("import os\n'GIVEN' in os.environ"))

    def test_the_rehearsal_leaves_no_trace(self):
        self.kernel.until_idle()
        self.assertEqual("('<cell 1>', [''], {}, [])", self.value(
            "import sys\n(sys._getframe().f_code.co_filename, In[:-1], dict(Out), [n for n in globals() if n.startswith('_') and not n.startswith('__')])"))

    def test_an_interrupt_behind_the_first_run_is_not_lost_to_the_rehearsal(self):
        for _ in range(20):
            kernel = Kernel()
            run, ends = kernel.start("import time\nfor _ in range(60): time.sleep(1)")
            os.kill(kernel.pid, signal.SIGINT)
            kernel.collect(run, ends)
            self.assertEqual("interrupted", run.status)
            for end in ends:
                os.close(end)
            kernel.close()


class Deaf(unittest.TestCase):
    def test_an_interrupt_noted_before_what_is_no_run_is_not_heard_in_it_and_kept(self):
        seen = []
        self.addCleanup(setattr, signals, "_pending", False)
        for noted in (True, False):
            signals._pending = noted
            signals.deaf(lambda: (seen.append(signals._pending), signals.end()))
            self.assertIs(noted, signals._pending)
        self.assertEqual([False, False], seen)


class Malformed(unittest.TestCase):
    def test_a_configure_that_cannot_be_applied_ends_the_kernel(self):
        for wrong in ({"cwd": "/does/not/exist"}, {"seed": "xyz"}, {"soft_memory_bytes": "much"}):
            with self.subTest(wrong):
                bare = Kernel(configure=False)
                self.addCleanup(bare.close)
                message = {"t": "configure", "env": {}, "cwd": "/", "soft_memory_bytes": None, "seed": "00" * 32}
                bare.send({**message, **wrong})
                self.assertEqual(70, bare.wait())

    def test_a_frame_of_no_length_ends_the_kernel(self):
        for raw in (b"\0\0\0\0", b"\xff\xff\xff\xff{}"):
            bare = Kernel()
            self.addCleanup(bare.close)
            bare.control.sendall(raw)
            self.assertEqual(0, bare.wait())


if __name__ == "__main__":
    unittest.main()
