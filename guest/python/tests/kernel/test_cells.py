"""The namespace, values, sources and processes of cells."""
import os
import sys
import unittest

from .harness import Kernel, KernelTest


class Values(KernelTest):
    def test_hello_names_generation_language_and_version(self):
        self.assertEqual({"t": "hello", "generation": 2, "language": "python",
                          "version": "%d.%d.%d" % sys.version_info[:3]}, self.kernel.hello)

    def test_value_of_the_last_expression(self):
        self.assertEqual("2", self.value("1+1"))
        self.assertEqual("10", self.value("x = 5\nx * 2"))
        self.assertEqual("[1, 2]", self.value("(\n  [1,\n   2]\n)  # why not"))

    def test_no_value(self):
        for code in ("x = 1", "None", "1 + 1;", "(1 +\n 1);  # quiet", "x = 2\nx;", "", "# only a comment", "pass",
                     "for i in range(3): i"):
            with self.subTest(code):
                self.assertIsNone(self.run_ok(code).result)

    def test_a_semicolon_in_a_string_silences_nothing(self):
        self.assertEqual("'a;'", self.value("x = 1\n'a;'  # ;"))

    def test_state_survives_and_errors_keep_it(self):
        self.run_ok("x = [1]")
        self.assertEqual("error", self.kernel.run("x.append(2)\n1/0").status)
        self.assertEqual("[1, 2]", self.value("x"))

    def test_underscore_and_out(self):
        self.run_ok("41")
        self.assertEqual("42", self.value("_ + 1"))
        self.assertEqual("(42, 41)", self.value("(_, __)"))
        self.assertEqual("(41, 42, '41')", self.value("(_1, Out[2], In[1])"))

    def test_underscore_taken_by_the_user_stays_theirs(self):
        self.run_ok("_ = 'mine'")
        self.run_ok("5")
        self.assertEqual("'mine'", self.value("_"))

    def test_namespace_is_clean(self):
        self.assertEqual("['In', 'Out']", self.value("sorted(n for n in globals() if not n.startswith('__'))"))

    def test_main_module(self):
        self.assertEqual("(True, '__main__', True)", self.value(
            "import sys\n(sys.modules['__main__'].__dict__ is globals(), __name__, sys.modules['__main__'].sys is sys)"))

    def test_variables_can_be_deleted(self):
        self.run_ok("gone = 1")
        self.run_ok("del gone")
        self.assertEqual("NameError", self.kernel.run("gone").error["name"])

    def test_sys_path_and_argv(self):
        self.run_ok("open('beside.py', 'w').write('answer = 42')")
        self.assertEqual("(42, [''], '')", self.value("import beside, sys\n(beside.answer, sys.argv, sys.path[0])"))

    def test_future_import_holds_for_later_cells(self):
        self.run_ok("from __future__ import annotations")
        self.assertEqual("{'x': 'Nope'}", self.value("def f(x: Nope): pass\nf.__annotations__"))

    def test_indented_cell(self):
        self.assertEqual("3", self.value("    x = 1\n    x + 2"))

    def test_large_source(self):
        run = self.run_ok("x = '''" + "é" * 150_000 + "'''\nlen(x)")
        self.assertEqual("150000", run.text)

    def test_messages_of_an_unknown_type_are_ignored(self):
        self.kernel.send({"t": "checkpoint"})
        self.alive()

    def test_ends_when_the_engine_hangs_up(self):
        self.kernel.control.close()
        self.assertEqual(0, self.kernel.wait())

    def test_a_cell_sees_nothing_of_the_kernel(self):
        self.assertEqual("[]", self.value("import sys\n[n for n in sys.modules if n.split('.')[0] == 'kernel']"))
        here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        code = """
import sys
frame, seen = sys._getframe(), []
while frame:
    if frame.f_code.co_filename.startswith('<kernel/'):
        seen += [frame.f_code.co_filename, frame.f_globals.get('__file__'), frame.f_globals.get('__spec__')]
    frame = frame.f_back
assert len(seen) > 6, seen
(repr(seen).count(%r), repr([sys.path, list(sys.path_importer_cache)]).count(%r))""" % (here, here)
        self.assertEqual("(0, 0)", self.value(code))

    def test_every_kernel_function_is_relabelled(self):
        code = """
import gc, types, sys
names = [f.__qualname__ for f in gc.get_objects() if isinstance(f, types.FunctionType)
         and (f.__module__ or '').split('.')[0] == 'kernel' and not f.__code__.co_filename.startswith('<kernel/')]
names"""
        gc_unfrozen = Kernel(before_main=__import__("gc").unfreeze)
        self.addCleanup(gc_unfrozen.close)
        self.assertEqual("[]", gc_unfrozen.run(code).text)


class Sources(KernelTest):
    def test_getsource_of_a_function(self):
        self.run_ok("x = 1\ndef f(a):\n    # why\n    return a")
        self.assertEqual(repr("def f(a):\n    # why\n    return a\n"), self.value("import inspect\ninspect.getsource(f)"))

    def test_getsource_of_classes(self):
        self.run_ok("import dataclasses, inspect, pickle, multiprocessing")
        self.run_ok("x = 1\nclass C:\n    # why\n    a = 1\n\n    class D:\n        def m(self): return 1\n\ny = 2")
        self.run_ok("!true\n@dataclasses.dataclass\nclass E:\n    a: int = 1\n")
        self.run_ok("def make():\n    class L(C):\n        b = 2\n    return L")
        for name, source in (("C", "class C:\n    # why\n    a = 1\n\n    class D:\n        def m(self): return 1\n"),
                             ("C.D", "    class D:\n        def m(self): return 1\n"), ("make()", "    class L(C):\n        b = 2\n"),
                             ("E", "@dataclasses.dataclass\nclass E:\n    a: int = 1\n")):
            with self.subTest(name):
                self.assertEqual(repr(source), self.value("inspect.getsource(%s)" % name))
        # The one that is meant: by its methods, or the newest of that name.
        self.run_ok("old = C.D\nclass C:\n    class D: pass")
        self.assertEqual(repr("    class D:\n        def m(self): return 1\n"), self.value("inspect.getsource(old)"))
        self.assertEqual(repr("class C:\n    class D: pass\n"), self.value("inspect.getsource(C)"))
        self.assertEqual("(True, True)", self.value("inspect.getsourcefile(C).startswith('<cell '), '__file__' not in globals()"))
        self.assertEqual("True", self.value("pickle.loads(pickle.dumps(E(3))) == E(3)"))
        for odd in ("int", "type('Made', (), {})", "1"):
            self.assertIn(self.kernel.run("inspect.getsource(%s)" % odd).error["name"], ("TypeError", "OSError"))
        self.assertEqual("True", self.value("'class OrderedDict' in inspect.getsource(__import__('collections').OrderedDict)"))

    def test_getsource_survives_checkcache(self):
        self.run_ok("def f(): return 1")
        self.assertEqual("'def f(): return 1\\n'", self.value(
            "import inspect, linecache\nlinecache.checkcache()\ninspect.getsource(f)"))

    def test_getsource_survives_clearcache(self):
        self.run_ok("def f(): return 1")
        self.run_ok("import linecache\nlinecache.clearcache()")
        self.assertEqual("'def f(): return 1\\n'", self.value("import inspect\ninspect.getsource(f)"))
        self.assertIn("    1/0", self.kernel.run("linecache.clearcache()\n1/0").trace)

    def test_pickle_of_a_cell_class(self):
        self.run_ok("class P:\n    def __init__(self, x): self.x = x")
        self.assertEqual("7", self.value("import pickle\npickle.loads(pickle.dumps(P(7))).x"))


class Processes(KernelTest):
    def test_pool_of_a_cell_function(self):
        self.run_ok("def square(x): return x * x")
        self.assertEqual("[0, 1, 4]", self.value(
            "import multiprocessing\nwith multiprocessing.get_context('fork').Pool(2) as pool:\n"
            "    r = pool.map(square, range(3))\nr"))

    def test_process_prints_once(self):
        run = self.run_ok("import multiprocessing\nprint('before')\n"
                          "p = multiprocessing.get_context('fork').Process(target=print, args=('child',))\n"
                          "p.start(); p.join()\nprint('after')")
        self.assertEqual("before\nchild\nafter\n", run.out)

    def test_spawned_process_runs_a_library_function(self):
        self.assertEqual("[2.0]", self.value(
            "import multiprocessing, math\nwith multiprocessing.get_context('spawn').Pool(1) as pool:\n"
            "    r = pool.map(math.sqrt, [4])\nr"))

    def test_forked_child_that_returns_from_the_cell_does_not_serve(self):
        run = self.run_ok("import os\npid = os.fork()\nprint('child' if pid == 0 else 'parent', flush=True)\n"
                          "if pid: status = os.waitpid(pid, 0)[1]")
        self.assertEqual(["child", "parent"], sorted(run.out.split()))
        self.assertEqual("0", self.value("status"))

    def test_the_value_of_a_forked_child_is_its_output(self):
        for value in ("5", "'é' * 3", "'x' * 5000", "[1, 2]"):
            with self.subTest(value):
                run = self.run_ok("import os, sys\npid = os.fork()\nif pid: os.waitpid(pid, 0)\n(pid and 'parent') or %s" % value)
                self.assertEqual(("'parent'", "%r\n" % eval(value)), (run.text, run.out))

    def test_a_child_forked_while_a_thread_displayed_waits_for_no_thread(self):
        run = self.run_ok("import os\nlock = get_ipython().displays.results._lock\nlock.acquire()\npid = os.fork()\n"
                          "if pid: lock.release(); os.waitpid(pid, 0)\npid and 'parent'")
        self.assertEqual(("'parent'", "0\n"), (run.text, run.out))

    def test_forked_child_that_raises_or_exits(self):
        run = self.run_ok("import os\npid = os.fork()\nif not pid: 1/0\nos.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])")
        self.assertEqual("1", run.text)
        self.assertIn("ZeroDivisionError", run.err)
        self.assertEqual("7", self.value(
            "import sys\npid = os.fork()\nif not pid: sys.exit(7)\nos.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])"))

    def test_forked_child_does_not_write_frames(self):
        run = self.run_ok("import os\npid = os.fork()\nif not pid:\n    display('from the child')\n    os._exit(0)\n"
                          "os.waitpid(pid, 0);")
        self.assertEqual([], run.displays)
        # Python's own buffer of the child is gone with _exit; what matters is that no frame was written.
        self.alive()

    def test_system_output_of_subprocesses(self):
        run = self.run_ok("import subprocess, os\nprint('one')\nsubprocess.run(['echo', 'two'])\nos.system('echo three >&2')"
                          "\nos.write(1, b'four\\n');")
        self.assertEqual(("one\ntwo\nfour\n", "three\n"), (run.out, run.err))


class Async(KernelTest):
    def test_top_level_await(self):
        self.assertEqual("7", self.value("import asyncio\nawait asyncio.sleep(0.01)\n7"))
        self.assertEqual("8", self.value("await asyncio.sleep(0, 8)"))

    def test_asyncio_run_works_before_and_after(self):
        code = "import asyncio\nasync def f(): return 'ran'\nasyncio.run(f())"
        self.assertEqual("'ran'", self.value(code))
        self.assertEqual("1", self.value("await asyncio.sleep(0, 1)"))
        self.assertEqual("'ran'", self.value(code))
        self.assertEqual("2", self.value("await asyncio.sleep(0, 2)"))

    def test_background_task_survives_into_the_next_cell(self):
        self.run_ok("import asyncio\nasync def later():\n    await asyncio.sleep(0.05)\n    return 'done'\n"
                    "async def start(): return asyncio.create_task(later())\ntask = await start()")
        self.assertEqual("'done'", self.value("await task"))

    def test_interrupted_await_ends_its_task_and_the_loop_goes_on(self):
        self.run_ok("import asyncio\nlog = []")
        run = self.kernel.run("try:\n    print('in')\n    await asyncio.sleep(300)\nfinally:\n    log.append('cancelled')", interrupt="in")
        self.assertEqual("interrupted", run.status)
        self.assertEqual("['cancelled']", self.value("await asyncio.sleep(0)\nlog"))

    def test_error_in_an_await_shows_user_frames(self):
        run = self.kernel.run("async def f():\n    1/0\nawait f()")
        self.assertEqual("ZeroDivisionError", run.error["name"])
        self.assertIn('File "<cell 1>", line 3', run.trace)
        self.assertNotIn("kernel", run.trace)


class Exits(KernelTest):
    def test_exit_codes(self):
        for code, expected in (("import sys\nsys.exit()", 0), ("sys.exit(3)", 3), ("sys.exit(-1)", 255), ("exit()", 0),
                               ("quit(4)", 4), ("raise SystemExit(True)", 1)):
            with self.subTest(code):
                run = self.kernel.run(code)
                self.assertEqual(("exit", expected), (run.status, run.done["exit_code"]))
        self.alive()

    def test_exit_with_a_message(self):
        self.run_ok("import sys\nx = 1")
        run = self.kernel.run("sys.exit('no such thing')")
        self.assertEqual(("exit", 1, "no such thing\n"), (run.status, run.done["exit_code"], run.err))
        self.assertEqual("1", self.value("x"))


if __name__ == "__main__":
    unittest.main()
