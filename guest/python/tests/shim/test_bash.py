"""The bash kernel: what stays, what an exit code means, what stops a run."""

import os
import tempfile
import time
import unittest

from .engine import Kernel


class BashTest(unittest.TestCase):
    def setUp(self):
        self.kernel = Kernel("bash")
        self.addCleanup(self.kernel.close)
        self.run_ = self.kernel.run

    def assert_exit(self, outcome, code, lost=False):
        self.assertEqual(outcome.status, "exit", outcome)
        self.assertEqual(outcome.done["exit_code"], code, outcome)
        self.assertEqual([frame["code"] for frame in outcome.of("notice")], ["state_lost"] if lost else [], outcome)


class StateTest(BashTest):
    def test_hello_names_the_version(self):
        self.assertEqual(self.kernel.hello["generation"], 1)
        self.assertEqual(self.kernel.hello["language"], "bash")
        self.assertRegex(self.kernel.hello["version"], r"^\d+\.\d+\.\d+$")

    def test_everything_a_shell_has_stays(self):
        self.run_("x=5; cd /usr; f() { echo f$1; }; declare -A m=([a]=1); shopt -s expand_aliases nullglob; alias hi='echo hello'; set -o pipefail")
        outcome = self.run_("echo $x $PWD ${m[a]} $(f 2)\nhi\nshopt nullglob\n[[ -o pipefail ]] && echo piped")
        self.assertEqual(outcome.text, "5 /usr 1 f2\nhello\nnullglob       \ton\npiped\n")
        self.assertEqual((outcome.status, outcome.done["exit_code"]), ("ok", 0))

    def test_configure_sets_folder_and_environment(self):
        with tempfile.TemporaryDirectory() as folder:
            kernel = Kernel("bash", cwd=folder, ONLY="this")
            self.addCleanup(kernel.close)
            self.assertEqual(kernel.run("pwd; echo $ONLY; echo ${USER-none}").text, "%s\nthis\nnone\n" % os.path.realpath(folder))

    def test_code_of_every_shape(self):
        self.assertEqual(self.run_("cat <<EOF\none $((1+1))\nEOF\nfor i in 1 2; do\n  echo $i\ndone").text, "one 2\n1\n2\n")
        self.assertEqual(self.run_("").status, "ok")
        self.assertEqual(self.run_("# only a comment").status, "ok")
        self.assertEqual(self.run_("echo 'quote'\\''s'; echo \"ü漢😀\"").text, "quote's\nü漢😀\n")
        self.assertEqual(self.run_("echo " + "x" * 900_000).stdout, b"x" * 900_000 + b"\n")
        self.assertEqual(self.run_("break; continue; echo still").text, "still\n")
        self.assertEqual(self.run_("echo $0 $# \"$@\"").text, "bash 0\n")
        self.assertEqual(self.run_("cat; read line || echo no input").text, "no input\n")

    def test_an_exit_code_is_no_proof_of_a_signal(self):
        (notice,) = self.run_("exit 200").of("notice")
        self.assertIn("the shell ended:", notice["message"])
        (notice,) = self.run_("kill -SEGV $$").of("notice")
        self.assertIn("ended by SIGSEGV", notice["message"])

    def test_output_is_untouched(self):
        outcome = self.run_("printf '\\xff\\x00\\n\\r'; printf '\\x80' >&2")
        self.assertEqual((outcome.stdout, outcome.stderr), (b"\xff\0\n\r", b"\x80"))

    def test_much_output_arrives_whole_before_done(self):
        outcome = self.run_("head -c 5000000 /dev/zero; head -c 300000 /dev/zero >&2")
        self.assertEqual((len(outcome.stdout), len(outcome.stderr)), (5_000_000, 300_000))

    def test_tracing_shows_the_code_and_not_the_driver(self):
        outcome = self.run_("set -x; echo a; set +x")
        self.assertNotIn(b"__cove", outcome.stderr)
        self.assertIn(b"echo a", outcome.stderr)

    def test_nothing_is_inherited_but_the_standard_three(self):
        outcome = self.run_("ls -l /proc/self/fd; bash -c 'ls -l /proc/self/fd'")
        self.assertNotIn("socket", outcome.text)
        self.assertNotIn("memfd", outcome.text)
        self.assertEqual(outcome.text.count("pipe:"), 4, outcome)
        self.assertEqual(self.run_("python3 -c 'import signal; print(signal.getsignal(signal.SIGPIPE) == signal.SIG_DFL)' || true; trap -p PIPE").stderr, b"")

    def test_a_nul_is_refused(self):
        outcome = self.run_("echo a\0b")
        self.assertEqual((outcome.status, outcome.done["error"]["name"]), ("error", "ValueError"))
        self.assertEqual(self.run_("echo next").text, "next\n")


class ExitTest(BashTest):
    def test_a_failing_last_command_is_an_exit_code(self):
        self.run_("x=kept")
        self.assert_exit(self.run_("false"), 1)
        self.assert_exit(self.run_("(exit 42)"), 42)
        self.assert_exit(self.run_("nosuchcommand"), 127)
        self.assertEqual(self.run_("return 0; echo no").text, "")
        self.assert_exit(self.run_("return 7"), 7)
        self.assertEqual(self.run_("echo $x").text, "kept\n")

    def test_errors_name_the_line(self):
        self.assertIn(b"line 2: nosuchcommand", self.run_("echo\nnosuchcommand").stderr)
        outcome = self.run_("echo one\nif true; then\n echo )")
        self.assert_exit(outcome, 2)
        self.assertIn(b"syntax error", outcome.stderr)
        self.assertIn(b"line 3", outcome.stderr)
        self.assert_exit(self.run_("echo 'open"), 2)
        self.assertEqual(self.run_("echo fine").text, "fine\n")

    def test_a_syntax_error_reads_as_bashs_own(self):
        outcome = self.run_("echo one\nif true; then\n echo )")
        self.assert_exit(outcome, 2)
        self.assertEqual(outcome.stderr, b"bash: line 3: syntax error near unexpected token `)'\nbash: line 3: ` echo )'\n")
        outcome = self.run_("echo before >&2; ls /nonexistent/x\necho 'open")
        self.assert_exit(outcome, 2)
        self.assertRegex(outcome.stderr, rb"\Abefore\nls: [^\n]*\nbash: line \d: unexpected EOF [^\n]*\n(bash: line \d: [^\n]*\n)?\Z")

    def test_what_only_reads_like_a_syntax_error_is_untouched(self):
        like = "%s/cell.sh: eval: line 3: syntax error" % self.kernel.folder
        for code, status, stderr in (
            ("echo '%s' >&2" % like, 0, like + "\n"),
            ("echo '%s' >&2; echo more >&2; exit 2" % like, 2, like + "\nmore\n"),
            ("echo 'it said %s' >&2; (exit 2)" % like, 2, "it said " + like + "\n"),
            ("printf begun >&2; sleep 0.1; printf '%s' >&2; (exit 2)" % like, 2, "begun" + like),
            ("echo '%s' >&2; (exit 3)" % like, 3, like + "\n"),
        ):
            outcome = self.run_(code)
            self.assertEqual((outcome.done["exit_code"], outcome.stderr.decode()), (status, stderr), code)
        self.assertEqual(self.run_("echo '%s'; (exit 2)" % like).text, like + "\n")

    def test_a_flood_of_such_lines_is_not_held_back(self):
        line = "%s/cell.sh: eval: line 3: x\n" % self.kernel.folder
        outcome = self.run_("for i in {1..5000}; do printf '%s'; done >&2; echo end" % line.replace("\n", "\\n"))
        self.assertEqual(outcome.stderr.decode(), line * 5000)

    def test_exit_ends_the_shell_and_the_next_run_has_a_fresh_one(self):
        self.run_("x=1; cd /usr")
        outcome = self.run_("echo before; exit 3")
        self.assert_exit(outcome, 3, lost=True)
        self.assertEqual(outcome.text, "before\n")
        self.assertIn("fresh shell", outcome.of("notice")[0]["message"])
        self.assertEqual(self.run_("echo ${x-gone} $PWD").text, "gone /tmp\n")
        self.assert_exit(self.run_("exit"), 0, lost=True)
        self.assert_exit(self.run_("exec sh -c 'exit 9'"), 9, lost=True)

    def test_a_killed_shell(self):
        self.assert_exit(self.run_("kill -9 $$"), 137, lost=True)
        self.assertEqual(self.run_("echo alive").text, "alive\n")

    def test_the_output_before_an_end_is_not_lost(self):
        self.assertEqual(len(self.run_("head -c 1000000 /dev/zero; exit 1").stdout), 1_000_000)

    def test_errexit_stops_the_run_and_keeps_the_shell(self):
        for code, status in (("false", 1), ("(exit 5)", 5), ("x=$(exit 6)", 6), ("f() { false; echo no; }; f", 1),
                             ("g() { f; echo no; }; f() { (exit 8); echo no; }; g", 8), ("true | (exit 4)", 4)):
            outcome = self.run_("kept=yes; set -e; %s; echo no" % code)
            self.assert_exit(outcome, status)
            self.assertEqual(outcome.text, "", code)
            self.assertEqual(self.run_("echo $kept; case $- in *e*) echo on;; esac; set +e").text, "yes\non\n", code)

    def test_errexit_spares_what_bash_spares(self):
        outcome = self.run_("set -e; if false; then :; fi; false || true; ! true; f() { false; echo f; }; f || true; false | true; echo end")
        self.assertEqual((outcome.text, outcome.status), ("f\nend\n", "ok"))

    def test_the_strict_mode_everybody_writes(self):
        self.assert_exit(self.run_("set -euo pipefail; false | true; echo no"), 1)
        self.assertEqual(self.run_("echo yes").text, "yes\n")
        outcome = self.run_("echo $undefined_name; echo no")
        self.assert_exit(outcome, outcome.done["exit_code"], lost=True)
        self.assertIn(b"undefined_name", outcome.stderr)
        self.assertEqual(self.run_("echo ${undefined_name-back}").text, "back\n")

    def test_traps_work(self):
        self.assertEqual(self.run_("trap 'echo bye' EXIT; trap 'echo usr' USR1; kill -USR1 $$").text, "usr\n")
        self.assertEqual(self.run_("exit 0").text, "bye\n")


class BackgroundTest(BashTest):
    def test_a_background_job_does_not_hold_the_run(self):
        outcome = self.run_("sleep 3000 & echo started; jobs %1 >/dev/null && echo listed")
        self.assertEqual(outcome.text, "started\nlisted\n")
        self.assertEqual(self.run_("kill %1; wait %1 2>/dev/null; echo gone").text, "gone\n")

    def test_endless_background_output_ends_with_the_run(self):
        outcome = self.run_("yes & echo hello")
        self.assertEqual(outcome.status, "ok")  # however much of it came before the end
        self.assertIn(b"hello\n", outcome.stdout)
        self.assertEqual(self.run_("kill %1; wait 2>/dev/null; true").status, "ok")
        self.assertEqual(self.run_("echo clean").text, "clean\n")

    def test_output_between_runs_goes_nowhere(self):
        with tempfile.TemporaryDirectory() as place:
            self.run_("(while [ ! -e %s/go ]; do sleep 0.01; done; echo late; touch %s/went) &" % (place, place))
            open(place + "/go", "w").close()
            while not os.path.exists(place + "/went"):
                time.sleep(0.005)
            self.assertEqual(self.run_("echo now").text, "now\n")


class InterruptTest(BashTest):
    def interrupted(self, code, state="kept"):
        self.run_("state=kept")
        running = self.kernel.start("echo go; " + code)
        while not running.data[0]:
            running.read(0.02)
        self.kernel.interrupt()
        outcome = running.outcome()
        self.assertEqual(outcome.status, "interrupted", (code, outcome))
        self.assertEqual(outcome.text, "go\n", code)
        self.assertEqual(outcome.stderr, b"", code)
        self.assertEqual(self.run_("echo $state").text, state + "\n", code)

    def test_whatever_runs_is_stopped_and_the_state_kept(self):
        for code in ("sleep 1000; echo no", "while true; do sleep 1; done; echo no", "while :; do :; done; echo no",
                     "f() { while :; do sleep 0.05; done; }; g() { f; echo no; }; while true; do g; done",
                     "x=$(while :; do :; done); echo no", "yes | while read l; do :; done; echo no",
                     "sleep 100 & wait; echo no", "until false; do ((i++)); done", "cat <(sleep 1000); echo no",
                     "bash -c 'while :; do sleep 1; done'; echo no"):
            self.interrupted(code)

    def test_errexit_and_an_interrupt_together(self):
        self.interrupted("set -e; sleep 100; echo no")
        self.interrupted("true; sleep 100; echo no")

    def test_a_background_job_survives_the_interrupt(self):
        self.run_("sleep 60 &")
        self.interrupted("sleep 100")
        self.assertEqual(self.run_("kill %1 && echo was alive").text, "was alive\n")

    def test_an_idle_kernel_does_not_care(self):
        self.run_("x=1")
        for _ in range(5):
            self.kernel.interrupt()
        self.assertEqual(self.run_("echo $x").text, "1\n")
