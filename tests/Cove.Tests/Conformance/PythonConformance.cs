using Xunit;

namespace Cove.Tests.Conformance;

public abstract class PythonConformance(BackendUnderTest backend) : ConformanceSuite(backend)
{
    [Fact]
    public async Task Variables_definitions_and_imports_stay()
    {
        await using var sandbox = await SandboxAsync();
        AssertOk(await sandbox.PythonAsync("import math as m\nx = 20\ndef twice(n):\n    return 2 * n\nclass Point:\n    x = 1"));
        Assert.Equal("42", (await sandbox.PythonAsync("twice(x) + Point.x + int(m.sqrt(1))")).Value);
        Assert.Equal("42", (await sandbox.PythonAsync("_")).Value);
    }

    [Fact]
    public async Task The_last_expression_is_the_value_and_statements_have_none()
    {
        await using var sandbox = await SandboxAsync();
        Assert.Equal("'two'", (await sandbox.PythonAsync("'one'\n'two'")).Value);
        Assert.Null((await sandbox.PythonAsync("x = 1")).Value);
        Assert.Null((await sandbox.PythonAsync("None")).Value);
        Assert.Null((await sandbox.PythonAsync("")).Value);
    }

    [Fact]
    public async Task Output_and_value_come_apart()
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.PythonAsync("import sys\nprint('out')\nprint('err', file=sys.stderr)\n7");
        Assert.Equal(("out\n", "err\n", "7"), (run.Stdout, run.Stderr, run.Value));
        Assert.Equal((0, 4L, 4L), (run.Result.ExitCode, run.Result.StdoutBytes, run.Result.StderrBytes));
    }

    [Fact]
    public async Task Output_streams_while_the_code_still_runs()
    {
        await using var sandbox = await SandboxAsync();
        var run = sandbox.StartPython("import os, time\nprint('waiting')\nwhile not os.path.exists('/tmp/go'): time.sleep(0.01)\nprint('gone')");
        await run.SaidAsync("waiting");
        await sandbox.WriteAsync("/tmp/go", "");
        Assert.Equal("waiting\ngone\n", (await run.Completion).Stdout);
    }

    [Fact]
    public async Task Await_works_at_the_top_level()
    {
        await using var sandbox = await SandboxAsync();
        AssertOk(await sandbox.PythonAsync("import asyncio\nasync def later():\n    await asyncio.sleep(0)\n    return 41\nx = await later()"));
        Assert.Equal("42", (await sandbox.PythonAsync("await later() + 1")).Value);
        Assert.Equal("41 41", await sandbox.PrintedAsync("a, b = await asyncio.gather(later(), later())\nprint(a, b)"));
        Assert.Equal("41", await sandbox.PrintedAsync("print(asyncio.run(later()))"));
    }

    [Fact]
    public async Task The_source_of_what_a_cell_defined_can_be_read()
    {
        await using var sandbox = await SandboxAsync();
        AssertOk(await sandbox.PythonAsync("def add(a, b):\n    # sum\n    return a + b\n\nclass C:\n    def m(self): return 1"));
        var source = await sandbox.PrintedAsync("import inspect\nprint(inspect.getsource(add), inspect.getsource(C.m), inspect.getsource(C))");
        Assert.Contains("# sum\n    return a + b", source, StringComparison.Ordinal);
        Assert.Contains("def m(self)", source, StringComparison.Ordinal);
        Assert.Contains("class C:\n    def m(self): return 1", source, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_cell_defined_can_be_pickled()
    {
        await using var sandbox = await SandboxAsync();
        AssertOk(await sandbox.PythonAsync("class P:\n    def __init__(self, v): self.v = v\ndef f(n): return n + 1"));
        Assert.Equal("5 2", await sandbox.PrintedAsync("import pickle\nprint(pickle.loads(pickle.dumps(P(5))).v, pickle.loads(pickle.dumps(f))(1))"));
    }

    [Fact]
    public async Task A_pool_of_processes_maps_a_function_of_a_cell()
    {
        await using var sandbox = await SandboxAsync();
        var printed = await sandbox.PrintedAsync(
            "import multiprocessing as mp\ndef square(n): return n * n\nwith mp.Pool(2) as pool: print(pool.map(square, range(4)))");
        Assert.Equal("[0, 1, 4, 9]", printed);
        Assert.Equal("[0, 1, 4]", await sandbox.PrintedAsync(
            "from concurrent.futures import ProcessPoolExecutor\nwith ProcessPoolExecutor(2) as pool: print(list(pool.map(square, range(3))))"));
    }

    [Fact]
    public async Task Threads_and_subprocesses_write_to_the_same_run()
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.PythonAsync("import subprocess, threading\nt = threading.Thread(target=lambda: print('thread')); t.start(); t.join()\nsubprocess.run(['echo', 'child'])");
        Assert.Contains("thread\n", run.Stdout, StringComparison.Ordinal);
        Assert.Contains("child\n", run.Stdout, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Warnings_and_logging_arrive()
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.PythonAsync("import logging, warnings\nwarnings.warn('careful')\nlogging.warning('logged')\nlogging.getLogger('x').error('wrong')");
        AssertOk(run);
        Assert.Contains("UserWarning: careful", run.Stderr, StringComparison.Ordinal);
        Assert.Contains("WARNING:root:logged", run.Stderr, StringComparison.Ordinal);
        Assert.Contains("ERROR:x:wrong", run.Stderr, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("import sys; sys.exit()", 0)]
    [InlineData("exit(0)", 0)]
    [InlineData("import sys; sys.exit(3)", 3)]
    [InlineData("raise SystemExit(255)", 255)]
    [InlineData("import sys; sys.exit('a reason')", 1)]
    public async Task Leaving_with_an_exit_code_ends_the_run_with_it_and_keeps_the_state(string code, int exitCode)
    {
        await using var sandbox = await SandboxAsync();
        AssertOk(await sandbox.PythonAsync("kept = 7"));
        var run = await sandbox.PythonAsync(code);
        Assert.Equal(exitCode, run.Result.ExitCode);
        Assert.Equal(exitCode == 0 ? RunOutcome.Ok : RunOutcome.GuestError, run.Outcome);
        Assert.Equal(code.Contains("reason", StringComparison.Ordinal) ? "a reason\n" : "", run.Stderr);
        Assert.False(run.Result.StateLost);
        Assert.Equal("7", (await sandbox.PythonAsync("kept")).Value);
    }

    [Fact]
    public async Task A_module_that_pip_would_install_is_importable_by_the_live_kernel()
    {
        await using var sandbox = await SandboxAsync();
        var version = await sandbox.PrintedAsync("import sys; print('%d.%d' % sys.version_info[:2])");
        AssertOutcome(RunOutcome.GuestError, "module_not_found", await sandbox.PythonAsync("import fresh"));
        await sandbox.WriteAsync($"/home/user/.local/lib/python{version}/site-packages/fresh.py", "answer = 42");
        Assert.Equal("42", (await sandbox.PythonAsync("import fresh; fresh.answer")).Value);
        Assert.Equal("42\n", (await sandbox.ShellAsync("python3 -c 'import fresh; print(fresh.answer)'")).Stdout);
    }

    [Fact]
    public async Task A_module_of_the_working_directory_is_importable()
    {
        await using var sandbox = await SandboxAsync();
        await sandbox.WriteAsync("/workspace/helpers.py", "def f(): return 'mine'");
        Assert.Equal("'mine'", (await sandbox.PythonAsync("import helpers; helpers.f()")).Value);
    }

    [Fact]
    public async Task No_two_sandboxes_draw_the_same_random_numbers()
    {
        await using var one = await SandboxAsync(Data);
        await using var two = await SandboxAsync(Data);
        const string Code = "import random, numpy, uuid\nprint(random.random(), numpy.random.rand(), uuid.uuid4())";
        var (a, b) = ((await one.PrintedAsync(Code)).Split(' '), (await two.PrintedAsync(Code)).Split(' '));
        Assert.All(a.Zip(b), pair => Assert.NotEqual(pair.First, pair.Second));
    }
}
