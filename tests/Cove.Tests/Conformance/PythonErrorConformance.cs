using Xunit;

namespace Cove.Tests.Conformance;

public abstract class PythonErrorConformance(BackendUnderTest backend) : ConformanceSuite(backend)
{
    [Fact]
    public async Task A_traceback_shows_the_users_frames_with_their_lines_and_nothing_of_ours()
    {
        await using var sandbox = await SandboxAsync();
        AssertOk(await sandbox.PythonAsync("def divide(a, b):\n    # why not\n    return a / b"));
        var run = await sandbox.PythonAsync("x = 1\n\ndivide(x, 0)");
        AssertOutcome(RunOutcome.GuestError, "python_exception", run);
        var evidence = run.Result.Error!.Evidence!;
        Assert.Equal(("ZeroDivisionError", "division by zero"), (evidence.ExceptionType, evidence.ExceptionMessage));
        Assert.Equal((1, ErrorCategory.Code, false), (run.Result.ExitCode ?? 0, run.Result.Error.Category, run.Result.Error.Retryable));
        var traceback = evidence.Traceback!;
        Assert.Contains("line 3", traceback, StringComparison.Ordinal);
        Assert.Contains("divide(x, 0)", traceback, StringComparison.Ordinal);
        Assert.Contains("return a / b", traceback, StringComparison.Ordinal);
        Assert.DoesNotContain("/opt/cove", traceback, StringComparison.Ordinal);
        Assert.DoesNotContain("runner", traceback, StringComparison.Ordinal);
        Assert.DoesNotContain("exec(", traceback, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Frames_of_libraries_and_causes_are_shown()
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.PythonAsync("import json\ntry:\n    json.loads('{')\nexcept ValueError as error:\n    raise RuntimeError('bad file') from error");
        var traceback = run.Result.Error!.Evidence!.Traceback!;
        Assert.Contains("JSONDecodeError", traceback, StringComparison.Ordinal);
        Assert.Contains("The above exception was the direct cause", traceback, StringComparison.Ordinal);
        Assert.Contains("RuntimeError: bad file", traceback, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_syntax_error_says_where_and_runs_nothing()
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.PythonAsync("print('never')\nx = = 1");
        AssertOutcome(RunOutcome.GuestError, "syntax_error", run);
        Assert.Equal("", run.Stdout);
        Assert.Contains("line 2", run.Result.Error!.Evidence!.Traceback, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_module_is_told_with_what_is_installed()
    {
        await using var sandbox = await SandboxAsync(Data);
        var run = await sandbox.PythonAsync("import no_such_module");
        AssertOutcome(RunOutcome.GuestError, "module_not_found", run);
        Assert.Contains("pandas", run.Result.Error!.Remediation, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Asking_for_input_is_a_clear_error()
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.PythonAsync("input('name? ')");
        Assert.Equal(RunOutcome.GuestError, run.Outcome);
        Assert.Contains("input", run.Result.Error!.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Equal("2", (await sandbox.PythonAsync("1 + 1")).Value);
    }

    [Theory]
    [InlineData("raise type('Odd', (Exception,), {'__str__': lambda self: 1/0})()")]
    [InlineData("class E(Exception):\n    def __repr__(self): raise SystemExit\nraise E()")]
    [InlineData("def f(): f()\nf()")]
    [InlineData("raise KeyboardInterrupt")]
    [InlineData("raise GeneratorExit")]
    [InlineData("raise BaseException('rare')")]
    [InlineData("raise Exception('x' * 5_000_000)")]
    [InlineData("raise Exception('\\udc80\\0\\x1b[31m')")]
    [InlineData("raise ExceptionGroup('many', [ValueError(1), TypeError(2)])")]
    [InlineData("class R:\n    def __repr__(self): return 1/0\nR()")]
    [InlineData("1 +")]
    [InlineData("'\\ud800'.encode()")]
    public async Task Whatever_is_raised_the_run_ends_as_the_guests_error_and_the_kernel_lives(string code)
    {
        await using var sandbox = await SandboxAsync();
        AssertOk(await sandbox.PythonAsync("kept = 7"));
        var run = await sandbox.PythonAsync(code);
        Assert.True(run.Outcome == RunOutcome.GuestError, run.ToString());
        Assert.NotEmpty(run.Result.Error!.Evidence!.ExceptionType!);
        Assert.Equal("7", (await sandbox.PythonAsync("kept")).Value);
    }
}
