"""What models write out of habit from notebooks."""
import unittest

from .harness import KernelTest


class Shell(KernelTest):
    def test_bang(self):
        run = self.run_ok("print('first')\n!echo hello | tr a-z A-Z\n!echo oops >&2; exit 3\nprint(_exit_code)")
        self.assertEqual(("first\nHELLO\n3\n", "oops\n"), (run.out, run.err))

    def test_bang_in_a_block_and_over_lines(self):
        run = self.run_ok("for i in range(2):\n    !echo {i}\n    !echo \\\n  two\nprint(i)")
        self.assertEqual("0\ntwo\n1\ntwo\n1\n", run.out)

    def test_assignment(self):
        self.assertEqual("['a', 'b']", self.value("x = !printf 'a\\nb\\n'\nx"))
        self.assertEqual("'a\\nb'", self.value("x.n"))
        self.assertEqual("['1']", self.value("d = {}\nd['k'] = !echo 1\nd['k']"))

    def test_expansion(self):
        run = self.run_ok("name, n, pi = 'world', [4], 3.14159\n!echo {name} $name {n[0] + 1} {pi:.2f}\n"
                          "!echo $HOME_NOT ${PATH:+set} '{print $1}' $$name\n!echo 'a b' | awk '{print $2}'")
        # $$name reaches the shell as $name, which is not set there.
        self.assertEqual("world world 5 3.14\nset {print $1}\nb\n", run.out)

    def test_expansion_of_a_local_variable(self):
        self.assertEqual("inner\n", self.run_ok("def f(v):\n    !echo {v}\nf('inner')").out)

    def test_interrupt_ends_the_command_and_its_children(self):
        run = self.kernel.run("!sleep 3125.25 & echo in; sleep 3125.25", interrupt="in")
        self.assertEqual("interrupted", run.status)
        self.assertEqual("[]", self.value("import time\nfor _ in range(6000):\n    x = !pgrep -f 'sleep 3125[.]25'\n    if not x: break\n    time.sleep(0.01)\nx"))

    def test_what_is_python_stays_python(self):
        self.assertEqual("2", self.value("a = (5\n% 3)\na"))
        self.assertEqual("'\\n!ls\\n%cd /\\n'", self.value("s = '''\n!ls\n%cd /\n'''\ns"))
        self.assertEqual("('\\n!ls\\n', 2)", self.value("s = '''\n!ls\n'''\nt = (5 # ('''\n% 3)\n!true\n(s, t)"))
        self.assertEqual("1", self.value("a = 5 \\\n% 4\n!true\na"))
        self.assertEqual("7", self.value("s = 'it\\'s [\"'  # don't (\n!true\nlen(s)"))


class Magics(KernelTest):
    def test_cd_and_pwd(self):
        run = self.run_ok("import os\nos.mkdir('sub')\n%cd sub\n%pwd")
        self.assertTrue(run.text.endswith("/sub'"))
        self.run_ok("%cd -")
        self.assertEqual("False", self.value("os.getcwd().endswith('sub')"))

    def test_time(self):
        run = self.run_ok("x = %time 20 + 1\n%time y = x * 2\ny")
        self.assertEqual("42", run.text)
        self.assertEqual(2, run.out.count("Wall time:"))

    def test_timeit(self):
        self.assertIn("10 loops each", self.run_ok("%timeit -n 10 -r 2 1 + 1").out)
        self.assertIn("per loop", self.run_ok("%%timeit -n 5 -r 2 z = 3\nz + 1\nz + 2").out)

    def test_cell_time_keeps_value_and_lines(self):
        run = self.run_ok("%%time\nq = 1\nq + 1")
        self.assertEqual("2", run.text)
        self.assertIn("Wall time:", run.out)
        run = self.kernel.run("%%time\nq = 1\n\n1/0")
        self.assertIn('File "<cell 2>", line 4', run.trace)
        self.assertIn("    1/0", run.trace)

    def test_bash_cell(self):
        run = self.run_ok("%%bash\nx=5\necho $x {x}\n")
        self.assertEqual("5 {x}\n", run.out)
        self.assertEqual("CalledProcessError", self.kernel.run("%%sh\nexit 4").error["name"])
        self.assertEqual("hi\n", self.run_ok("%%python3\nprint('hi')").out)

    def test_writefile(self):
        self.assertEqual("Writing f.txt\n", self.run_ok("%%writefile f.txt\n!not a command\n  é\n").out)
        self.run_ok("%%writefile -a f.txt\nmore")
        self.assertEqual("'!not a command\\n  é\\nmore\\n'", self.value("open('f.txt').read()"))

    def test_capture(self):
        run = self.run_ok("%%capture got\nimport sys\nprint('o')\nprint('e', file=sys.stderr)\n!echo sub\ndisplay(1)")
        self.assertEqual(("", []), (run.out, run.displays))
        self.assertEqual("('o\\nsub\\n', 'e\\n', 1)", self.value("(got.stdout, got.stderr, len(got.outputs))"))
        self.assertEqual("error", self.kernel.run("%%capture\n1/0").status)
        self.assertEqual("back\n", self.run_ok("print('back')").out)

    def test_env_and_who(self):
        self.assertEqual("'v'", self.value("%env COVE_T=v\nimport os\nos.environ['COVE_T']"))
        self.assertEqual("'v'", self.value("%env COVE_T"))
        self.assertEqual("os\tvar\n", self.run_ok("var = 1\n%who").out)
        self.assertIn("var        int        1", self.run_ok("%whos").out)

    def test_no_ops(self):
        run = self.run_ok("%matplotlib inline\n%load_ext autoreload\n%autoreload 2\n%config X.y = 'z'\n5")
        self.assertEqual(("5", "", ""), (run.text, run.out, run.err))

    def test_help(self):
        self.run_ok("def f(a):\n    '''What f does.'''")
        for code in ("f?", "?f", "f??", "  f?"):
            self.assertIn("What f does.", self.run_ok(code).out)
        self.assertIn("not found", self.run_ok("nothing?").out)

    def test_run_a_script(self):
        self.run_ok("%%writefile s.py\nimport sys\nif __name__ == '__main__': got = sys.argv[1]")
        self.assertEqual("'arg'", self.value("%run s.py arg\ngot"))

    def test_pip_without_pip_says_so(self):
        for code in ("%pip install nothing-at-all", "!pip install nothing-at-all"):
            run = self.kernel.run("import importlib.util as u\nreal = u.find_spec\n"
                                  "u.find_spec = lambda n, p=None: None if n == 'pip' else real(n, p)\n"
                                  "try:\n    %s\nfinally:\n    u.find_spec = real" % code)
            self.assertIn("pip is not installed", run.error["value"])

    def test_pip_uses_this_interpreter(self):
        self.run_ok("import os, sys\nos.makedirs('pip', exist_ok=True)\n"
                    "open('pip/__init__.py', 'w').write('')\n"
                    "open('pip/__main__.py', 'w').write('import sys; print(sys.argv[1:], sys.version_info[:2])')\n"
                    "os.environ['PYTHONPATH'] = os.getcwd()")
        run = self.run_ok("for p in [n for n in sys.modules if n.split('.')[0] == 'pip']: del sys.modules[p]\n"
                          "sys.executable = __import__('shutil').which('python3', path='/usr/bin') or sys.executable\n"
                          "!pip install -q 'a b'")
        self.assertIn("['install', '-q', 'a b']", run.out)

    def test_unknown_magic(self):
        for code in ("%nope 1", "%%nope\nx"):
            run = self.kernel.run(code)
            self.assertEqual("UsageError", run.error["name"])
            self.assertIn("nope is not available here", run.error["value"])
            self.assertIn("%time", run.error["value"])

    def test_syntax_error_beside_a_magic_shows_what_was_written(self):
        run = self.kernel.run("!true\nx = = 2")
        self.assertEqual("SyntaxError", run.error["name"])
        self.assertIn("line 2", run.trace)
        self.assertIn("x = = 2", run.trace)
        self.assertNotIn("get_ipython", run.trace)


if __name__ == "__main__":
    unittest.main()
