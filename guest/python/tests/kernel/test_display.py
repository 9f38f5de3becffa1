"""Rich values, text forms, figures, the IPython stand-in."""
import base64
import importlib.util
import json
import subprocess
import sys
import unittest

from .harness import Kernel, KernelTest


def has(name):
    return importlib.util.find_spec(name) is not None


PNG = b"\x89PNG\r\n\x1a\n"


class Display(KernelTest):
    def test_each_rich_form(self):
        code = """
class R:
    def __repr__(self): return 'R'
    def _repr_html_(self): return '<b>'
    def _repr_markdown_(self): return '# m'
    def _repr_svg_(self): return '<svg/>'
    def _repr_png_(self): return b'png'
    def _repr_latex_(self): return '$x$'
    def _repr_json_(self): return {'a': 1}
R()"""
        self.assertEqual({"text/plain": "R", "text/html": "<b>", "text/markdown": "# m", "image/svg+xml": "<svg/>",
                          "image/png": base64.b64encode(b"png").decode(), "text/latex": "$x$",
                          "application/json": '{"a": 1}'}, self.run_ok(code).result)
        self.assertEqual(base64.b64encode(b"j").decode(), self.run_ok(
            "class J:\n    def _repr_jpeg_(self): return b'j'\nJ()").result["image/jpeg"])

    def test_mimebundle_with_metadata(self):
        run = self.run_ok("class R:\n    def _repr_mimebundle_(self, include=None, exclude=None):\n"
                          "        return {'text/html': '<i>', 'application/x': {'k': [1]}}, {'text/html': {'w': 3}}\nR()")
        self.assertEqual(("<i>", '{"k": [1]}'), (run.result["text/html"], run.result["application/x"]))
        self.assertEqual({"text/html": {"w": 3}}, run.displays[0]["metadata"])

    def test_ipython_display_replaces_the_value(self):
        run = self.run_ok("class R:\n    def _ipython_display_(self): print('shown')\nR()")
        self.assertEqual(("shown\n", None), (run.out, run.result))

    def test_display_keeps_order_and_kind(self):
        run = self.run_ok("display(1, 'two')\n3")
        self.assertEqual([("display", "1"), ("display", "'two'"), ("result", "3")],
                         [(one["kind"], one["data"]["text/plain"]) for one in run.displays])

    def test_a_class_and_a_mock_have_no_rich_form(self):
        self.assertEqual(["text/plain"], list(self.run_ok("class R:\n    def _repr_html_(self): return 'x'\nR").result))
        self.assertEqual(["text/plain"], list(self.run_ok("from unittest.mock import MagicMock\nMagicMock()").result))

    def test_large_values_come_in_parts(self):
        run = self.run_ok("class R:\n    def _repr_html_(self): return chr(7) * 1_000_000 + '\\\"'\n"
                          "    def _repr_png_(self): return b'1' * 3_000_000\nR()")
        self.assertEqual("\a" * 1_000_000 + '"', run.result["text/html"])
        self.assertEqual(b"1" * 3_000_000, base64.b64decode(run.result["image/png"]))
        self.assertIn("R object", run.result["text/plain"])

    def test_half_surrogates_do_not_break_the_frame(self):
        self.assertEqual("ok", self.kernel.run("display({'text/html': '\\ud800'}, raw=True)").status)

    def test_numbers_and_texts_of_any_length_show_their_repr(self):
        for code in ("1.5", "True", "-7", "2j", "'é\\n\"'", "b'\\0'", "'\\ud800'", "float('nan')", "''",
                     *("%s * %d" % (one, length) for one in ("'x'", "'\\n'", "b'\\0'", "'é'") for length in (509, 510, 511, 512, 513, 70_000)),
                     *("10 ** %d" % length for length in (510, 511, 512, 513, 4_000))):
            with self.subTest(code):
                run = self.run_ok(code)
                self.assertEqual({"text/plain": repr(eval(code))}, run.result)
                self.assertEqual(1, len(run.displays))
        self.assertEqual("ValueError", self.kernel.run("10 ** 5_000").error["name"])

    def test_a_value_of_a_type_that_looks_like_a_number_is_shown_its_own_way(self):
        self.assertEqual({"text/plain": "plain", "text/html": "<b>"}, self.run_ok(
            "class N(int):\n    def __repr__(self): return 'plain'\n    def _repr_html_(self): return '<b>'\nN(5)").result)
        self.assertIsNone(self.run_ok("import sys\nclass S(str):\n    def _ipython_display_(self): print('shown')\nS('x')").result)

    def test_a_fork_of_text_plain(self):
        for code, expected in (
                ("{'b': 1, 'a': 2}", "{'b': 1, 'a': 2}"), ("{3, 1, 2}", "{1, 2, 3}"), ("set()", "set()"), ("(1,)", "(1,)"),
                ("frozenset({1})", "frozenset({1})"), ("[]", "[]"), ("x = [1]; x.append(x); x", "[1, [...]]"),
                ("import collections as c; c.Counter('aab')", "Counter({'a': 2, 'b': 1})"),
                ("c.defaultdict(int, a=1)", "defaultdict(<class 'int'>, {'a': 1})"), ("c.deque([1], 3)", "deque([1], maxlen=3)"),
                ("c.namedtuple('P', 'x')(1)", "P(x=1)"), ("'é'", "'é'"), ("b'x'", "b'x'"), ("range(3)", "range(0, 3)"),
                ("{'a': {'b': [1, (2, 3)]}}", "{'a': {'b': [1, (2, 3)]}}"),
                ("from dataclasses import dataclass\n@dataclass\nclass D:\n    x: int\n    y: str\nD(1, 'z')", "D(x=1, y='z')"),
                ("class L(list):\n    def __repr__(self): return 'mine'\nL([1])", "mine"), ("c.OrderedDict()", "OrderedDict()")):
            with self.subTest(code):
                self.assertEqual(expected, self.value(code))

    def test_long_containers_are_laid_out(self):
        self.assertEqual("{'name0': 'value value value value', 'name1': 'value value value value'}",
                         self.value("{'name%d' % i: 'value value value value' for i in range(2)}"))
        self.assertEqual("{'name0': 'value value value value',\n 'name1': 'value value value value',\n"
                         " 'name2': 'value value value value'}",
                         self.value("{'name%d' % i: 'value value value value' for i in range(3)}"))
        lines = self.value("[{'i': i, 'text': 'x' * 50} for i in range(3)]").split("\n")
        self.assertEqual("[{'i': 0, 'text': '%s'}," % ("x" * 50), lines[0])
        self.assertTrue(all(len(line) <= 79 for line in self.value("list(range(500))").split("\n")))
        self.assertEqual(list(range(500)), json.loads(self.value("list(range(500))")))

    def test_huge_containers_are_cut_quickly(self):
        run = self.run_ok("list(range(5_000_000))")
        self.assertTrue(run.text.endswith("999, ...]"), run.text[-40:])
        self.assertEqual(["text_cut"], [notice["code"] for notice in run.notices])
        run = self.run_ok("x = []\nfor i in range(5000): x = [x]\nx")
        self.assertLess(len(run.text), 200)
        run = self.run_ok("[['x' * 2000] * 1000] * 1000")
        self.assertLessEqual(len(run.text), (1 << 20) + 10)
        self.assertLessEqual(len(self.run_ok("'x' * 50_000_000").text), (1 << 20) + 10)

    @unittest.skipUnless(has("pandas"), "pandas is not installed")
    def test_data_frame(self):
        result = self.run_ok("import pandas as pd\npd.DataFrame({'a': [1, 2]})").result
        self.assertEqual("   a\n0  1\n1  2", result["text/plain"])
        self.assertIn("<table", result["text/html"])
        self.assertIn("Name: a", self.value("pd.Series([1], name='a')"))

    @unittest.skipUnless(has("PIL"), "Pillow is not installed")
    def test_pillow_image(self):
        result = self.run_ok("from PIL import Image\nImage.new('RGB', (3, 3))").result
        self.assertTrue(base64.b64decode(result["image/png"]).startswith(PNG))


@unittest.skipIf(has("IPython"), "the real IPython is installed")
class StandIn(KernelTest):
    def test_display_objects(self):
        run = self.run_ok("from IPython.display import display, HTML, Markdown, Image, JSON, SVG, Latex, clear_output\n"
                          "clear_output(wait=True)\ndisplay(HTML('<p>'), Markdown('# h'), JSON({'a': 1}), SVG('<svg/>'))\n"
                          "Image(data=b'\\x89PNG123', width=4)")
        kinds = [set(one["data"]) - {"text/plain"} for one in run.displays]
        self.assertEqual([{"text/html"}, {"text/markdown"}, {"application/json"}, {"image/svg+xml"}, {"image/png"}], kinds)
        self.assertEqual({"image/png": {"width": 4}}, run.displays[-1]["metadata"])

    def test_imports(self):
        self.run_ok("import IPython, IPython.core.display as d\nfrom IPython import get_ipython\n"
                    "assert IPython.get_ipython() is get_ipython()\nassert IPython.display.HTML is d.HTML\n"
                    "get_ipython().run_line_magic('matplotlib', 'inline')\nassert get_ipython().user_ns is globals()")
        self.assertEqual("ModuleNotFoundError", self.kernel.run("import IPython.nothing").error["name"])

    def test_is_not_there_until_imported(self):
        self.assertEqual("False", self.value("import sys\n'IPython' in sys.modules"))

    def test_magics_of_the_user(self):
        self.run_ok("from IPython.core.magic import register_line_magic\n@register_line_magic\ndef twice(line): return line * 2")
        self.assertEqual("'abab'", self.value("%twice ab"))


@unittest.skipUnless(has("matplotlib"), "matplotlib is not installed")
class Figures(KernelTest):
    def pictures(self, run):
        return [base64.b64decode(one["data"]["image/png"]) for one in run.displays if "image/png" in one["data"]]

    def test_an_open_figure_is_shown_and_closed(self):
        run = self.run_ok("import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.title('t');")
        self.assertTrue(self.pictures(run)[0].startswith(PNG))
        self.assertIn("Figure(640x480)", run.displays[0]["data"]["text/plain"])
        self.assertEqual("[]", self.value("plt.get_fignums()"))
        self.assertEqual([], self.pictures(self.run_ok("1")))

    def test_show_shows_in_order(self):
        run = self.run_ok("import matplotlib.pyplot as plt\nplt.plot([1]); plt.show()\ndisplay('between')\nplt.plot([2]);\n"
                          "plt.figure().add_subplot()\nplt.show()")
        self.assertEqual(["image/png", "text/plain", "image/png", "image/png"],
                         ["image/png" if "image/png" in one["data"] else "text/plain" for one in run.displays])

    def test_after_use_agg_and_with_the_stand_in_imported(self):
        run = self.run_ok("import IPython.display\nimport matplotlib\nmatplotlib.use('Agg')\n"
                          "import matplotlib.pyplot as plt\nplt.ion()\nplt.plot([1]); plt.show()\nplt.ioff();")
        self.assertEqual((1, ""), (len(self.pictures(run)), run.err))

    def test_a_figure_as_value_is_shown_once(self):
        run = self.run_ok("import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.plot([1])\nfig")
        self.assertEqual(1, len(self.pictures(run)))
        self.assertEqual("result", run.displays[0]["kind"])

    def test_savefig_and_a_closed_figure(self):
        run = self.run_ok("import matplotlib.pyplot as plt\nplt.plot([1]); plt.savefig('f.png'); plt.close()\n"
                          "open('f.png', 'rb').read(4)")
        self.assertEqual(("b'\\x89PNG'", []), (run.text, self.pictures(run)))

    def test_figures_of_a_failed_cell_are_shown(self):
        run = self.kernel.run("import matplotlib.pyplot as plt\nplt.plot([1])\n1/0")
        self.assertEqual(("error", 1), (run.status, len(self.pictures(run))))

    def test_a_figure_that_cannot_be_drawn_is_reported(self):
        run = self.run_ok("import matplotlib.pyplot as plt\nplt.figure().add_subplot().set_title('$\\\\bad{$')\n"
                          "plt.figure().add_subplot();")
        self.assertEqual(1, len(self.pictures(run)))
        self.assertIn("ValueError", run.err)
        self.alive()

    def test_drawing_can_be_interrupted(self):
        run = self.kernel.run("import matplotlib.pyplot as plt\nclass F(plt.Figure):\n    def savefig(self, *a, **k):\n"
                              "        print('in')\n        while True: pass\nplt.figure(FigureClass=F).add_subplot();", interrupt="in")
        self.assertEqual("interrupted", run.status)
        self.alive()

    def test_matplotlib_that_was_not_preloaded(self):
        code = ("import sys; sys.path.insert(0, %r)\nfrom tests.kernel import harness\nharness.preload = "
                "lambda: harness.kernel.warm_up()\nk = harness.Kernel()\n"
                "r = k.run('import sys; early = \"matplotlib\" in sys.modules\\nimport matplotlib\\nmatplotlib.use(\"Agg\")\\n"
                "import matplotlib.pyplot as plt\\nplt.plot([1]); plt.show()\\nearly')\n"
                "print([sorted(d['data']) for d in r.displays], r.err, r.text)\nk.close()" % _top())
        done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=60)
        self.assertEqual("[['image/png', 'text/plain'], ['text/plain']]  False\n", done.stdout, done.stderr)


def _top():
    import os
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class WarmUp(unittest.TestCase):
    def test_leaves_no_descriptor_and_no_thread(self):
        code = ("import sys, os; sys.path.insert(0, %r)\nimport kernel, importlib.util\n"
                "for n in ('pandas', 'matplotlib.pyplot'):\n    try: __import__(n)\n    except ImportError: pass\n"
                "def state(): return sorted(os.listdir('/proc/self/fd')), os.listdir('/proc/self/task')\n"
                "before = state(); kernel.warm_up(); after = state()\nprint(before == after, after)\n"
                "import linecache; print([f for f in linecache.cache if 'cell' in f])" % _top())
        done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=60)
        self.assertTrue(done.stdout.startswith("True"), done.stdout + done.stderr)
        self.assertTrue(done.stdout.endswith("[]\n"), done.stdout)


if __name__ == "__main__":
    unittest.main()
