"""Calling the caller's tools: what they look like, what is sent, and what becomes of answers."""
import json
import os

from .harness import KernelTest

WEATHER = {
    "name": "get-weather", "python": "get_weather", "description": "The weather of a city.",
    "schema": {
        "type": "object", "required": ["city"],
        "properties": {
            "city": {"type": "string", "description": "Its name."},
            "days": {"type": "integer", "default": 3},
            "unit": {"enum": ["C", "F"]},
            "from": {"type": ["string", "null"]},
            "max-age": {"type": "array", "items": {"type": "number"}},
        }}}
ECHO = {"name": "echo", "python": "echo", "description": "", "schema": {"type": "object"}}


class ToolTest(KernelTest):
    def call(self, code, answer=None, tools=(WEATHER, ECHO), max_calls=100, interrupt=None):
        """Runs code; `answer(run, frame)` answers each call, by default with its arguments."""
        def echo(run, frame):
            run.answer(frame["call"], result=json.loads(frame["arguments"]))

        def watch(run, kernel):
            while run.unheard < len(run.calls):
                run.unheard += 1
                (answer or echo)(run, run.calls[run.unheard - 1])

        run, ends = self.kernel.start(code, list(tools), max_calls)
        try:
            return self.kernel.collect(run, ends, interrupt=interrupt, watch=watch)
        finally:
            for end in ends + [run.host]:
                os.close(end)

    def test_what_an_object_on_a_tool_writes_as_it_goes_reaches_no_later_run(self):
        self.ok("class D:\n    def __del__(self): print('of the run before', end='')\ntools.echo.x = D()")
        self.assertEqual("next\n", self.run_ok("print('next')").out)

    def ok(self, code, **kwargs):
        run = self.call(code, **kwargs)
        self.assertEqual("ok", run.status, run.error and run.trace)
        return run


class Calling(ToolTest):
    def test_a_call_is_sent_and_its_answer_is_the_value(self):
        run = self.ok("await tools.get_weather('Graz', days=2, from_=None)")
        self.assertEqual("{'city': 'Graz', 'days': 2, 'from': None}", run.text)
        self.assertEqual([("get-weather", 1)], [(call["name"], call["call"]) for call in run.calls])

    def test_calls_made_together_wait_together_and_keep_their_order(self):
        held = []

        def backwards(run, frame):
            held.append(frame)
            if len(held) == 100:
                for late in reversed(held):
                    run.answer(late["call"], result=json.loads(late["arguments"])["x"])

        run = self.ok("import asyncio\nawait asyncio.gather(*(tools.echo(x=n) for n in range(100))) == list(range(100))", answer=backwards)
        self.assertEqual("True", run.text)

    def test_other_loops_and_other_threads_call_too(self):
        run = self.ok("import asyncio, concurrent.futures as f\n"
                      "def one(n): return asyncio.run(tools.echo(x=n))['x']\n"
                      "first = one(0)\n"
                      "with f.ThreadPoolExecutor(4) as pool: rest = list(pool.map(one, range(1, 20)))\n"
                      "[first] + rest == list(range(20))")
        self.assertEqual("True", run.text)

    def test_values_of_libraries_become_json(self):
        run = self.ok("import datetime, pathlib\nawait tools.echo(a=datetime.date(2026, 1, 2), b={1}, c=pathlib.Path('/x'), d='\\ud800é\\n\"')")
        self.assertEqual({"a": "2026-01-02", "b": [1], "c": "/x", "d": "?é\n\""}, json.loads(run.calls[0]["arguments"]))

    def test_large_answers_arrive_whole(self):
        run = self.ok("len(await tools.echo())", answer=lambda run, frame: run.answer(frame["call"], result="é" * 400_000))
        self.assertEqual("400000", run.text)

    def test_a_number_of_very_many_digits_is_survived(self):
        run = self.ok("await tools.echo()", answer=lambda run, frame: run.say_raw(b'{"t":"host_answer","run":"","call":1,"result":%s}' % (b"1" * 5000)))
        self.assertEqual("inf", run.text)

    def test_a_failure_is_an_exception_with_its_kind(self):
        def fail(run, frame):
            run.answer(frame["call"], error={"category": "policy", "message": "Not approved.", "retryable": False})

        run = self.call("x = 1\nawait tools.echo()", answer=fail)
        self.assertEqual(("error", "ToolCallError", "Not approved."), (run.status, run.error["name"], run.error["value"]))
        self.assertIn("await tools.echo()", run.trace)
        self.assertNotIn("kernel", run.trace)
        run = self.ok("try: await tools.echo()\nexcept ToolCallError as e: print(e.category, e.retryable, e.tool, x)", answer=fail)
        self.assertEqual("policy False echo 1\n", run.out)

    def test_one_that_was_not_answered_is_a_timeout(self):
        def late(run, frame):
            run.answer(frame["call"], error={"category": "timeout", "message": "Too late.", "retryable": True})

        self.assertEqual("Too late.\n", self.ok("try: await tools.echo()\nexcept TimeoutError as e: print(e)", answer=late).out)

    def test_a_guest_that_gives_up_first_does_not_see_the_late_answer(self):
        def late(run, frame):
            if frame["call"] == 2:
                run.answer(1, result="late")
                run.answer(2, result="second")

        run = self.ok("import asyncio\ntry: await asyncio.wait_for(tools.echo(), 0.01)\nexcept TimeoutError: pass\nawait tools.echo()", answer=late)
        self.assertEqual("'second'", run.text)


class Bounds(ToolTest):
    def test_honest_code_is_told_before_the_engine_would_end_it(self):
        for code, why in (("await tools.echo(x='y' * 300_000)", "bytes"), ("for _ in range(3): await tools.echo()", "the 2 tool calls")):
            run = self.call(code, max_calls=2)
            self.assertEqual("ToolCallError", run.error["name"])
            self.assertIn(why, run.error["value"])
            self.assertLessEqual(len(run.calls), 2)
        run = self.call("import asyncio\nawait asyncio.gather(*(tools.echo() for _ in range(200)))", answer=lambda run, frame: None, max_calls=1000)
        self.assertIn("128 tool calls wait", run.error["value"])
        self.assertEqual(128, len(run.calls))
        run = self.call("import asyncio\nawait asyncio.gather(*(tools.echo(x='y' * 260_000) for _ in range(50)))", answer=lambda run, frame: None, max_calls=1000)
        self.assertIn("arguments of calls that wait", run.error["value"])
        self.assertEqual(16, len(run.calls))
        self.ok("for _ in range(40): await tools.echo(x='y' * 260_000)")

    def test_wrong_arguments_are_python_errors_and_nothing_is_sent(self):
        for code, why in (("tools.get_weather()", "lacks 'city'"), ("tools.get_weather('a', town='b')", "no argument 'town'"),
                          ("tools.get_weather('a', city='b')", "two values"), ("tools.get_weather(1, 2, 'C', None, [], 6)", "takes 5"),
                          ("tools.echo(x=float('nan'))", "JSON"), ("tools.echo(x=object())", "can't be passed")):
            run = self.call("await " + code)
            self.assertIn(why, run.error["value"])
            self.assertEqual([], run.calls)

    def test_without_tools_it_says_how_they_are_declared(self):
        for code, why in (("await tools.echo()", "This run has no tools"), ("tools['echo']", "This run has no tools")):
            run = self.kernel.run(code)
            self.assertEqual("AttributeError", run.error["name"])
            self.assertIn(why, run.error["value"])
        self.assertEqual("<no tools>", self.value("tools"))
        self.assertIn("there are: get_weather, echo", self.call("tools.other").error["value"])

    def test_a_variable_of_that_name_is_kept_and_told_of(self):
        run = self.ok("tools = ['hammer']")
        self.assertEqual([], run.notices)
        run = self.ok("tools")
        self.assertEqual((["tools_hidden"], "['hammer']"), ([n["code"] for n in run.notices], run.text))
        self.assertEqual("{}", self.ok("del tools\nawait tools.echo()").text)


class Looks(ToolTest):
    def test_signature_and_help_come_from_the_schema(self):
        run = self.ok("import inspect\nprint(inspect.signature(tools.get_weather))\nhelp(tools.get_weather)\nprint(dir(tools), tools)")
        self.assertTrue(run.out.startswith(
            "(city: str, days: int = 3, unit: Literal['C', 'F'] = ..., from_: Optional[str] = ..., max_age: list[float] = ...)\n"), run.out)
        self.assertIn("The weather of a city.", run.out)
        self.assertIn("city: Its name.", run.out)
        self.assertIn("await tools.echo(**more)", run.out)

    def test_by_its_own_name_too(self):
        self.assertEqual("{'city': 'a', 'max-age': [1]}", self.ok("await tools['get-weather']('a', **{'max-age': [1]})").text)

    def test_schemas_that_are_none_are_survived(self):
        odd = [{"name": "t%d" % n, "python": "t%d" % n, "description": "", "schema": schema} for n, schema in enumerate([
            {"properties": {"": 1, "²": {"type": 7}, "a b": {"enum": [[1]]}, "a-b": {"anyOf": []}, "1": True}}, {"required": 3}, {"properties": {}, "required": [1, "x"]},
            {"properties": {"x": {"items": {"items": {"items": {}}}, "type": "array"}, "more": {"const": 1}}, "additionalProperties": {}}])]
        run = self.ok("print(tools)\nawait tools.t2(x=1)", tools=odd)
        self.assertEqual("{'x': 1}", run.text)


class Ends(ToolTest):
    def test_an_interrupt_ends_a_waiting_call_and_the_next_run_calls_again(self):
        run = self.call("kept = 5\nprint('in', flush=True)\nawait tools.echo()", answer=lambda run, frame: None, interrupt="in")
        self.assertEqual("interrupted", run.status)
        self.assertEqual("{'x': 5}", self.ok("await tools.echo(x=kept)").text)

    def test_what_is_left_of_a_run_calls_nothing_of_the_next(self):
        run = self.ok("import asyncio\nheld = tools.echo\nasync def begin(): return asyncio.ensure_future(tools.echo(x=1))\ntask = await begin()\nawait asyncio.sleep(0)", answer=lambda run, frame: None)
        self.assertEqual(1, len(run.calls))
        run = self.ok("try: await held()\nexcept ToolCallError as e: print(e)\n"
                      "try: await task\nexcept asyncio.CancelledError: print('cancelled')\n(await tools.echo(x=2))['x']")
        self.assertEqual(("The run that could call this tool has ended.\ncancelled\n", "2", 1), (run.out, run.text, len(run.calls)))

    def test_a_forked_child_calls_nothing(self):
        run = self.ok("import os, asyncio\npid = os.fork()\nif pid == 0:\n"
                      "    try: asyncio.new_event_loop().run_until_complete(tools.echo())\n"
                      "    except ToolCallError as e: os._exit(7)\n    os._exit(1)\n"
                      "os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])")
        self.assertEqual(("7", []), (run.text, run.calls))

    def test_a_host_that_hangs_up_ends_the_waiting(self):
        run, ends = self.kernel.start("await tools.echo()", [ECHO])
        while not run.calls:
            self.kernel._read(run, ends, ends[2])
        os.close(run.host)
        self.kernel.collect(run, ends)
        for fd in ends:
            os.close(fd)
        self.assertEqual(("error", "ToolCallError"), (run.status, run.error["name"]))
        self.alive()

    def test_no_descriptor_is_left(self):
        self.ok("import os\nbefore = len(os.listdir('/proc/self/fd'))")
        for _ in range(5):
            self.ok("await tools.echo()")
        self.assertEqual("True", self.ok("len(os.listdir('/proc/self/fd')) <= before + 3").text)
