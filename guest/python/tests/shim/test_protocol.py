"""The shim between an engine and a guest of which neither helps it."""

import fcntl
import os
import signal
import struct
import termios
import time
import unittest

from ..processes import halt, lives
from .engine import PATIENCE, Kernel


def _until_read(stream):
    """Waits until the other end has read all that was sent."""
    while struct.unpack("i", fcntl.ioctl(stream.fileno(), termios.TIOCOUTQ, bytes(4)))[0]:
        time.sleep(0.001)


class ShimTest(unittest.TestCase):
    def kernel(self, *arguments, **settings):
        kernel = Kernel(*arguments, **settings)
        self.addCleanup(kernel.close)
        return kernel

    def test_runs_queue_in_order(self):
        kernel = self.kernel("bash")
        first, second = kernel.start("sleep 0.2; x=1; echo first"), kernel.start("echo second $x")
        self.assertEqual(second.outcome().text, "second 1\n")
        self.assertEqual(first.outcome().text, "first\n")

    def test_unknown_and_reserved_frames_are_ignored(self):
        kernel = self.kernel("bash")
        for name in ("stdin", "quiesce", "something"):
            kernel.send({"t": name, "more": 1})
        kernel.send({"no": "type"})
        self.assertEqual(kernel.run("echo on").text, "on\n")

    def test_a_run_without_configure_works(self):
        self.assertEqual(self.kernel("bash", configure=False).run("echo $HOME").text, "/home/user\n")

    def test_a_violation_of_the_engine_ends_the_shim(self):
        for data in (b"\xff\xff\xff\xff", b"\0\0\0\x02[]", b"\0\0\0\x01{"):
            kernel = Kernel("bash")
            kernel.socket.sendall(data)
            self.assertEqual(kernel.socket.recv(1), b"")
            kernel.close()
        kernel = Kernel("bash")
        kernel.send({"t": "execute", "run": "0" * 32, "code": "echo no descriptors"})
        self.assertEqual(kernel.socket.recv(1), b"")
        kernel.close()

    def test_the_end_of_the_link_ends_all_even_in_a_run(self):
        kernel = Kernel("bash")
        running = kernel.start("echo $$; sleep 100")
        while not running.data[0]:
            running.read(0.02)
        shell = int(running.data[0])
        kernel.close()
        deadline = time.monotonic() + PATIENCE
        while lives(shell) and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertFalse(lives(shell))
        for fd in running.readers:
            if fd is not None:
                os.close(fd)

    def test_a_reader_that_leaves_does_not_stop_the_run(self):
        kernel = self.kernel("bash")
        running = kernel.start("x=0; yes | head -c 20000000; x=done")
        running.close_output()
        outcome = running.outcome()
        self.assertEqual((outcome.status, outcome.stdout), ("ok", b""))
        self.assertEqual(kernel.run("echo $x").text, "done\n")

    def test_a_slow_reader_holds_the_guest_and_not_the_shims_memory(self):
        kernel = self.kernel("bash")
        before = self.memory(kernel.pid)
        running = kernel.start("head -c 50000000 /dev/zero")
        time.sleep(0.5)
        self.assertLess(self.memory(kernel.pid) - before, 4 << 20)
        self.assertEqual(len(running.outcome().stdout), 50_000_000)

    def test_a_waiting_shim_uses_no_processor(self):
        kernel = self.kernel("bash")
        running = kernel.start("sleep 0.6")
        running.close_output()
        before = self.processor(kernel.pid)
        running.outcome()
        time.sleep(0.2)
        self.assertLess(self.processor(kernel.pid) - before, 0.1)

    def memory(self, pid):
        with open("/proc/%d/statm" % pid) as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def processor(self, pid):
        with open("/proc/%d/stat" % pid) as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def test_runs_leave_no_descriptor_behind(self):
        kernel = self.kernel("bash")
        kernel.run("true")
        before = sorted(os.listdir("/proc/%d/fd" % kernel.pid))
        for code in ("true", "exit 1", "kill -9 $$", "sleep 1 & exit", "true"):
            kernel.run(code)
        self.assertEqual(len(os.listdir("/proc/%d/fd" % kernel.pid)), len(before))

    def test_a_forged_answer_costs_only_the_shell(self):
        kernel = self.kernel("bash")
        for forgery in ("done 99 0 0", "done 0 0 0", "rubbish", "x" * 5000, "done 1 999999 0"):
            # The driver closes its descriptors for the code; the saved copy can be found all the same.
            outcome = kernel.run("for fd in /proc/$$/fd/*; do case $(readlink $fd) in pipe:*) echo '%s' > $fd;; esac; done 2>/dev/null; sleep 0.3" % forgery)
            self.assertIn(outcome.status, ("exit", "ok"), outcome)
        self.assertEqual(kernel.run("echo fine").text, "fine\n")

    def test_a_guest_that_kills_the_shim_is_its_own_loss(self):
        kernel = Kernel("bash")
        running = kernel.start("kill -9 $PPID; sleep 0.2")
        self.assertTrue(running.read(PATIENCE))
        self.assertEqual(bytes(running.data[2]), b"")
        self.assertEqual(kernel.socket.recv(1), b"")
        kernel.close()

    def test_an_interpreter_that_cannot_start_is_told(self):
        kernel = self.kernel("bash", folder="/nonexistent")
        outcome = kernel.run("echo hi")
        self.assertEqual((outcome.status, outcome.done["error"]["name"]), ("error", "KernelUnavailable"), outcome)

    def test_a_run_that_a_dying_interpreter_never_read_is_begun_by_a_fresh_one_and_once(self):
        for language, own, code in (
            ("bash", "echo $$", "echo x; echo \"[$lost]\""),
            ("javascript", "console.log(process.pid)", "console.log('x'); console.log(`[${typeof lost}]`)"),
        ):
            with self.subTest(language):
                kernel = self.kernel(language)
                kernel.run("lost=7")
                pid = int(kernel.run(own).text)
                halt(pid)
                running = kernel.start(code)
                _until_read(kernel.socket)
                os.kill(pid, signal.SIGKILL)
                outcome = running.outcome()
                self.assertEqual((outcome.status in ("ok", "exit"), outcome.text), (True, "x\n[undefined]\n" if language == "javascript" else "x\n[]\n"), outcome)
                self.assertEqual([notice["code"] for notice in outcome.of("notice")], ["state_lost"])

    def test_a_run_that_an_interpreter_had_begun_is_not_begun_again(self):
        kernel = self.kernel("bash")
        outcome = kernel.run("echo x; kill -9 $$")
        self.assertEqual((outcome.text, outcome.done["exit_code"]), ("x\n", 137))

    def test_a_late_interrupt_of_the_run_before_does_not_hit_the_next(self):
        kernel = self.kernel("bash")
        for _ in range(20):
            halt(kernel.pid)  # so that it notices both at once, as on a busy host
            kernel.interrupt()
            running = kernel.start("for i in {1..100}; do :; done; echo whole", stray=True)
            os.kill(kernel.pid, signal.SIGCONT)
            outcome = running.outcome()
            self.assertEqual((outcome.status, outcome.text), ("ok", "whole\n"), outcome)

    def test_an_interrupt_of_the_shell_alone_is_survived(self):
        kernel = self.kernel("bash")
        shell = int(kernel.run("echo $$").text)
        os.kill(shell, signal.SIGINT)
        self.assertEqual(kernel.run("echo $$").text, "%d\n" % shell)
