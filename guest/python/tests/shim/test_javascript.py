"""The JavaScript kernel: the semantics of a console, values, errors, interrupts."""

import json
import os
import tempfile
import time
import unittest

from .engine import Kernel

NODE = os.access("/usr/bin/node", os.X_OK)


@unittest.skipUnless(NODE, "Node is not installed")
class JavaScriptTest(unittest.TestCase):
    settings = {}

    @classmethod
    def setUpClass(cls):
        # One kernel for a class: a Node start takes longer than most of these tests.
        cls.kernel = Kernel("javascript", **cls.settings)
        cls.addClassCleanup(cls.kernel.close)

    def run_(self, code):
        return self.kernel.run(code)

    def value(self, code):
        outcome = self.run_(code)
        self.assertEqual(outcome.status, "ok", outcome)
        return outcome.result and outcome.result["text/plain"]

    def error(self, code):
        outcome = self.run_(code)
        self.assertEqual(outcome.status, "error", outcome)
        return outcome.done["error"]


class LanguageTest(JavaScriptTest):
    def test_hello_names_the_version(self):
        self.assertEqual(self.kernel.hello["language"], "javascript")
        self.assertRegex(self.kernel.hello["version"], r"^\d+\.\d+\.\d+$")

    def test_declarations_stay_and_may_be_repeated(self):
        self.run_("const a = 1; let b = 2; var c = 3; function d() { return 4; } class E { f = 5; }")
        self.assertEqual(self.value("[a, b, c, d(), new E().f]"), "[ 1, 2, 3, 4, 5 ]")
        self.assertEqual(self.value("const a = 10; let b = 20; class E { f = 50; } a + b + new E().f"), "80")
        self.assertEqual(self.value("const g = await 7; g"), "7")
        self.assertEqual(self.value("g"), "7")

    def test_await_at_the_top(self):
        self.assertEqual(self.value("await new Promise((r) => setTimeout(() => r('late'), 10))"), "'late'")
        self.assertEqual(self.value("for await (const x of (async function* () { yield 1; })()) console.log(x); 'end'"), "'end'")
        outcome = self.run_("async function main() { await new Promise((r) => setTimeout(r, 20)); console.log('main'); return 3; }\nmain()")
        self.assertEqual((outcome.text, outcome.result["text/plain"]), ("main\n", "3"))

    def test_values(self):
        cases = {"1": "1", "'s'": "'s'", "null": "null", "-0": "-0", "10n": "10n", "Symbol('x')": "Symbol(x)", "NaN": "NaN",
                 "new Map([[1, 2]])": "Map(1) { 1 => 2 }", "/r/g": "/r/g", "(function f() {})": "[Function: f]", "{a: 1}": "1",
                 "({a: 1})": "{ a: 1 }", "true": "true"}
        for code, shown in cases.items():
            self.assertEqual(self.value(code), shown, code)
        for code in ("undefined", "", "// nothing", "let q = 5", "console"  ".log()"):
            self.assertIsNone(self.run_(code).result, code)

    def test_plain_values_come_as_json_too(self):
        self.assertEqual(json.loads(self.run_("({a: [1, 'ü', null, true], b: {}})").result["application/json"]), {"a": [1, "ü", None, True], "b": {}})
        for code in ("new Date()", "[NaN]", "[,1]", "({get a() { throw 1; }})", "const r = {}; r.r = r; r", "new (class A {})()", "[() => 1]",
                     "new Proxy({}, {ownKeys() { throw 1; }})", "Array.from({length: 20000}, () => 1)", "'x'.repeat(300000)", "({toJSON: 1})"):
            outcome = self.run_(code)
            self.assertEqual(list(outcome.result), ["text/plain"], code)

    def test_showing_a_value_is_bounded(self):
        for code in ("'\\u0001'.repeat(5e6)", "Array.from({length: 1e5}, () => 'y'.repeat(1000))", "({[Symbol.for('nodejs.util.inspect.custom')]() { throw new Error('no'); }})",
                     "({[Symbol.for('nodejs.util.inspect.custom')]: () => 'z'.repeat(1e6)})", "'\\ud800'"):
            outcome = self.run_(code)
            self.assertEqual(outcome.status, "ok", code)
            self.assertLess(len(outcome.result["text/plain"]), 200_000)

    def test_output(self):
        outcome = self.run_("console.log('out', {a: 1}); console.error('err'); console.table([{a: 1}]); process.stdout.write(Buffer.from([255, 0]))")
        self.assertIn(b"out { a: 1 }\n", outcome.stdout)
        self.assertIn("│", outcome.stdout[:-2].decode())
        self.assertEqual(outcome.stdout[-2:], b"\xff\0")
        self.assertEqual(outcome.stderr, b"err\n")
        self.assertEqual(len(self.run_("console.log('x'.repeat(3e6))").stdout), 3_000_001)

    def test_the_program_has_no_stray_warning(self):
        self.assertEqual(self.run_("await import('node:fs'); 1").stderr, b"")

    def test_input_is_empty(self):
        self.assertEqual(self.value("require('fs').readFileSync(0, 'utf8')"), "''")

    def test_nothing_is_inherited_but_the_standard_three(self):
        listed = self.value("child_process.execSync('ls -l /proc/self/fd').toString()")
        self.assertNotIn("anon_inode", listed)
        self.assertNotIn("memfd", listed)
        self.assertNotRegex(listed, r" ([3-9]|\d\d) -> (pipe|socket)")


class ModulesTest(JavaScriptTest):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = os.path.realpath(folder.name)
        cls.write("work/lib.js", "exports.name = 'lib'; exports.fail = () => { throw new RangeError('deep'); };")
        cls.write("work/esm.mjs", "export default 'default'; export const named = 'named';")
        cls.write("work/node_modules/local/index.js", "module.exports = 'local';")
        cls.write("home/node_modules/installed/index.js", "module.exports = 'installed';")
        cls.settings = {"cwd": cls.folder + "/work", "HOME": cls.folder + "/home"}
        super().setUpClass()

    @classmethod
    def write(cls, name, text):
        path = os.path.join(cls.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(text)

    def test_require(self):
        self.assertEqual(self.value("require('./lib').name + require('local') + require('installed') + typeof require('node:fs').readFileSync"), "'liblocalinstalledfunction'")
        self.assertEqual(self.value("const fs = require('fs'); typeof fs.readFileSync"), "'function'")
        self.assertEqual(self.value("path.join('a', 'b')"), "'a/b'")
        self.assertEqual(self.error("require('nosuch')")["name"], "Error")
        self.assertEqual(self.value("process.chdir('/tmp'); var found; try { require('./lib') } catch (e) { found = e.code } process.chdir('%s/work'); found" % self.folder), "'MODULE_NOT_FOUND'")

    def test_import_as_a_function(self):
        self.assertEqual(self.value("(await import('./esm.mjs')).named + (await import('installed')).default + typeof (await import('node:os')).type"), "'namedinstalledfunction'")
        self.assertEqual(self.value("const load = async () => (await import (\n'./esm.mjs')).default; await load()"), "'default'")
        self.assertEqual(self.error("await import('nosuch')")["name"], "Error")

    def test_import_as_a_statement(self):
        code = "import esm, { named as n } from './esm.mjs'; import * as os from 'os'\nimport { join } from \"node:path\";\nimport './lib.js'\n[esm, n, typeof os.type, join('a', 'b')].join()"
        self.assertEqual(self.value(code), "'default,named,function,a/b'")
        error = self.error("import {\n  join,\n} from 'path';\n\nthrow new Error('here')")
        self.assertIn("cell", error["traceback"])
        self.assertIn(".js:5\nthrow new Error('here')", error["traceback"])

    def test_import_in_text_is_text(self):
        code = "// import('x')\nconst s = `import('y') ${1}`; /* import z from 'z'; */ const r = /import('w')/; s + \"import('v')\" + r.source + `\nimport u from 'u';\n`"
        self.assertEqual(self.value(code), "\"import('y') 1import('v')import('w')\\nimport u from 'u';\\n\"")


class ErrorsTest(JavaScriptTest):
    def test_an_error_shows_its_place_and_the_users_frames(self):
        error = self.error("function f() {\n  throw new TypeError('bad');\n}\n\nf();")
        self.assertEqual((error["name"], error["value"]), ("TypeError", "bad"))
        self.assertRegex(error["traceback"], r"^cell\d+\.js:2\n  throw new TypeError\('bad'\);\n        \^\n\nTypeError: bad\n    at f \(cell\d+\.js:2:9\)\n    at cell\d+\.js:5:1$")

    def test_frames_of_an_earlier_cell(self):
        self.run_("function early() {\n  null.x;\n}")
        traceback = self.error("early()")["traceback"]
        self.assertIn("  null.x;\n", traceback)

    def test_after_an_await(self):
        error = self.error("await new Promise((r) => setTimeout(r, 1));\nundefinedName")
        self.assertEqual(error["name"], "ReferenceError")
        self.assertRegex(error["traceback"], r"cell\d+\.js:2\nundefinedName\n\^")
        self.assertNotIn("node:", error["traceback"])
        self.assertEqual(self.error("(async () => { throw new RangeError('r'); })()")["name"], "RangeError")

    def test_a_syntax_error_shows_line_and_caret(self):
        error = self.error("let ok = 1;\nlet y = = 3;")
        self.assertEqual(error["name"], "SyntaxError")
        self.assertRegex(error["traceback"], r"^cell\d+\.js:2\nlet y = = 3;\n        \^\n\nSyntaxError: Unexpected token '='")
        self.assertEqual(self.error("`open")["name"], "SyntaxError")
        self.assertEqual(self.error("JSON.parse('{')")["name"], "SyntaxError")

    def test_things_that_are_no_errors_can_be_thrown(self):
        for code, shown in (("throw 5", "5"), ("throw null", "null"), ("throw undefined", "undefined"), ("throw {a: 1}", "{ a: 1 }"), ("await Promise.reject('no')", "'no'")):
            error = self.error(code)
            self.assertEqual((error["name"], error["value"]), ("Uncaught", shown), code)

    def test_hostile_errors(self):
        for code in ("throw new Proxy(new Error('x'), {get() { throw new Error('trap'); }})", "const e = new Error('x'); Object.defineProperty(e, 'stack', {get() { throw 1; }}); throw e",
                     "const e = new Error('y'.repeat(1e6)); throw e", "class A extends Error { get message() { throw 1; } } throw new A()", "Error.prepareStackTrace = () => { throw 1; }; try { null.x } finally { Error.prepareStackTrace = undefined; }",
                     "(function f() { f(); })()"):
            self.assertLess(len(self.error(code)["traceback"]), 65536)
        self.assertEqual(self.value("1 + 1"), "2")

    def test_the_cause_is_shown(self):
        self.assertIn("[cause]: Error: inner", self.error("throw new Error('outer', {cause: new Error('inner')})")["traceback"])

    def test_late_errors_are_told_and_survived(self):
        outcome = self.run_("var kept = 1; setTimeout(() => { throw new Error('in a timer'); }, 5); Promise.reject(new Error('forgotten')); await new Promise((r) => setTimeout(r, 40)); 'end'")
        self.assertEqual(outcome.status, "ok", outcome)
        self.assertIn(b"in a timer", outcome.stderr)
        self.assertIn(b"Uncaught (in promise)", outcome.stderr)
        self.assertIn(b"forgotten", outcome.stderr)
        self.assertEqual(self.value("kept"), "1")


class ExitTest(JavaScriptTest):
    def lost(self, outcome, code):
        self.assertEqual((outcome.status, outcome.done.get("exit_code")), ("exit", code), outcome)
        self.assertEqual([frame["code"] for frame in outcome.of("notice")], ["state_lost"], outcome)

    def test_exit(self):
        self.run_("globalThis.x = 1")
        outcome = self.run_("process.stdout.write('y'.repeat(1e6)); process.exit(3)")
        self.lost(outcome, 3)
        self.assertEqual(len(outcome.stdout), 1_000_000)
        self.assertEqual(outcome.stderr, b"")
        self.assertEqual(self.value("typeof x"), "'undefined'")
        self.lost(self.run_("process.kill(process.pid, 'SIGKILL')"), 137)
        self.assertEqual(self.value("1"), "1")

    def test_an_end_between_runs_is_told_in_the_next(self):
        with tempfile.TemporaryDirectory() as place:
            pid = int(self.value("setInterval(() => { if (require('fs').existsSync('%s/go')) process.exit(0) }, 5); process.pid" % place))
            open(place + "/go", "w").close()
            while os.path.exists("/proc/%d" % pid):
                time.sleep(0.005)
        outcome = self.run_("2")
        self.assertEqual([frame["code"] for frame in outcome.of("notice")], ["state_lost"], outcome)
        self.assertEqual(outcome.result["text/plain"], "2")


class MemoryTest(JavaScriptTest):
    settings = {"soft_memory_bytes": 200 << 20}

    def test_the_heap_follows_the_soft_limit(self):
        limit = int(self.value("require('v8').getHeapStatistics().heap_size_limit / 2**20 | 0"))
        self.assertLess(limit, 200)
        outcome = self.run_("const all = []; for (;;) all.push(new Array(1000).fill({}))")
        self.assertEqual(outcome.status, "exit", outcome.status)
        self.assertEqual(outcome.done["exit_code"], 134)
        self.assertIn("SIGABRT", outcome.of("notice")[0]["message"])
        self.assertEqual(self.value("1"), "1")


class InterruptTest(JavaScriptTest):
    def interrupted(self, code):
        self.run_("var state = 'kept'")
        running = self.kernel.start("console.log('go'); " + code)
        while not running.data[0]:
            running.read(0.02)
        time.sleep(0.03)
        self.kernel.interrupt()
        outcome = running.outcome()
        self.assertEqual((outcome.status, outcome.done["error"]["name"]), ("interrupted", "Interrupted"), (code, outcome))
        self.assertEqual(outcome.text, "go\n", code)
        self.assertEqual(self.value("state"), "'kept'", code)
        self.assertEqual(self.value("await new Promise((r) => setTimeout(() => r('timers work'), 5))"), "'timers work'", code)

    def test_whatever_runs_is_stopped_and_the_state_kept(self):
        for code in ("while (true) {}", "await new Promise(() => {})", "await 1; while (true) {}", "try { while (true) {} } catch { console.log('no') } finally { console.log('no') }",
                     "await new Promise((r) => setTimeout(r, 10)); while (true) {}", "setTimeout(() => { while (true) {} }, 5); await new Promise(() => {})",
                     "for (;;) await null", "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)", "setImmediate(() => { while (true) {} }); await new Promise(() => {})",
                     "process.nextTick(() => { while (true) {} }); await new Promise(() => {})", "({[Symbol.for('nodejs.util.inspect.custom')]() { while (true) {} }})",
                     "/(a+)+b/.test('a'.repeat(40))"):
            self.interrupted(code)

    def test_a_child_that_is_waited_for_is_stopped(self):
        self.interrupted("try { child_process.execSync('sleep 60', {stdio: 'ignore'}) } catch {} await new Promise(() => {})")

    def test_an_interrupted_run_says_nothing_later(self):
        running = self.kernel.start("console.log('go'); await new Promise((r) => setTimeout(r, 2000)); console.log('late'); 'late'")
        while not running.data[0]:
            running.read(0.02)
        self.kernel.interrupt()
        self.assertEqual(running.outcome().status, "interrupted")
        outcome = self.run_("await new Promise((r) => setTimeout(r, 2500)); 'mine'")
        self.assertEqual(outcome.result["text/plain"], "'mine'")
        self.assertEqual(len(outcome.of("display")), 1)

    def test_an_idle_kernel_does_not_care(self):
        for _ in range(3):
            self.kernel.interrupt()
        self.assertEqual(self.value("'fine'"), "'fine'")
