using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Conformance;

public abstract class KernelConformance(BackendUnderTest backend) : ConformanceSuite(backend)
{
    [Fact]
    public async Task Several_kernels_keep_their_own_state_and_share_the_files()
    {
        await using var sandbox = await SandboxAsync();
        AssertOk(await InAsync(sandbox, "one", "x = 1; open('shared', 'w').write('s')"));
        AssertOk(await InAsync(sandbox, "two", "x = 2"));
        Assert.Equal("1", (await InAsync(sandbox, "one", "x")).Value);
        Assert.Equal("'s'", (await InAsync(sandbox, "two", "open('shared').read()")).Value);
        Assert.Equal(RunOutcome.GuestError, (await sandbox.PythonAsync("x")).Outcome);
        Assert.Equal(["one", "python", "two"], (await sandbox.Cove.ListKernelsAsync(sandbox.Id)).Select(k => k.Id));
    }

    [Fact]
    public async Task A_busy_kernel_refuses_a_second_run_and_others_go_on()
    {
        await using var sandbox = await SandboxAsync();
        var busy = sandbox.StartPython("print('in')\nimport os, time\nwhile not os.path.exists('/tmp/go'): time.sleep(0.01)");
        await busy.SaidAsync("in");
        var refused = await sandbox.PythonAsync("1");
        AssertOutcome(RunOutcome.Refused, "kernel_busy", refused);
        Assert.Equal((true, ErrorCategory.Conflict), (refused.Result.Error!.Retryable, refused.Result.Error.Category));
        Assert.Single(refused.Events);
        Assert.Equal("2", (await InAsync(sandbox, "other", "1 + 1")).Value);
        Assert.True((await sandbox.Cove.ListKernelsAsync(sandbox.Id)).Single(k => k.Id == "python").Busy);
        await sandbox.WriteAsync("/tmp/go", "");
        AssertOk(await busy.Completion);
    }

    [Fact]
    public async Task Restarting_a_kernel_kills_its_run_and_loses_its_state()
    {
        await using var sandbox = await SandboxAsync();
        AssertOk(await sandbox.PythonAsync("x = 1"));
        var run = sandbox.StartPython("print('in')\nwhile True: pass");
        await run.SaidAsync("in");
        var info = await sandbox.Cove.RestartKernelAsync(sandbox.Id, "python");
        Assert.Equal((1, false), (info.Restarts, info.Busy));
        AssertOutcome(RunOutcome.Killed, "killed", await run.Completion);
        Assert.Equal("NameError", (await sandbox.PythonAsync("x")).Result.Error!.Evidence!.ExceptionType);
    }

    [Fact]
    public async Task A_deleted_kernel_is_gone_and_a_run_starts_it_anew()
    {
        await using var sandbox = await SandboxAsync();
        AssertOk(await sandbox.PythonAsync("x = 1"));
        await sandbox.Cove.DeleteKernelAsync(sandbox.Id, "python");
        Assert.Empty(await sandbox.Cove.ListKernelsAsync(sandbox.Id));
        Assert.Equal("kernel_not_found", (await RefusalAsync(() => sandbox.Cove.RestartKernelAsync(sandbox.Id, "python"))).Code);
        Assert.Equal("2", (await sandbox.PythonAsync("1 + 1")).Value);
    }

    [Fact]
    public async Task A_kernel_can_be_created_ahead_and_twice_is_once()
    {
        await using var sandbox = await SandboxAsync();
        var first = await sandbox.Cove.CreateKernelAsync(sandbox.Id, "tools", Language.Bash);
        Assert.Equal(("tools", Language.Bash, 0, false), (first.Id, first.Language, first.Restarts, first.Busy));
        Assert.StartsWith("5.", first.Version, StringComparison.Ordinal);
        Assert.Equivalent(first, await sandbox.Cove.CreateKernelAsync(sandbox.Id, "tools", Language.Bash));
    }

    [Fact]
    public async Task Wrong_names_and_languages_are_refused()
    {
        await using var sandbox = await SandboxAsync();
        AssertOk(await InAsync(sandbox, "mine", "1"));
        AssertOutcome(RunOutcome.Refused, "invalid_request", await sandbox.RunAsync(new RunRequest { Code = "1", Kernel = "mine", Language = Language.Bash }));
        AssertOutcome(RunOutcome.Refused, "invalid_request", await InAsync(sandbox, "bash", "1"));
        AssertOutcome(RunOutcome.Refused, "invalid_request", await InAsync(sandbox, "No Such", "1"));
        Assert.Equal("invalid_request", (await RefusalAsync(() => sandbox.Cove.CreateKernelAsync(sandbox.Id, "A", Language.Python))).Code);
    }

    [Fact]
    public async Task A_kernel_that_its_code_killed_is_started_anew_and_the_next_run_says_so()
    {
        await using var sandbox = await SandboxAsync();
        AssertOk(await sandbox.PythonAsync("x = 1"));
        var run = await sandbox.PythonAsync("import os; os.kill(os.getpid(), 9)");
        AssertOutcome(RunOutcome.Killed, "kernel_died", run);
        Assert.Equal((true, 137, "SIGKILL"), (run.Result.StateLost, run.Result.ExitCode ?? 0, run.Result.Error!.Evidence!.Signal));
        var next = await sandbox.PythonAsync("'x' in globals()");
        Assert.Equal("False", next.Value);
        Assert.Contains("kernel_restarted", next.Notices);
        Assert.DoesNotContain("kernel_restarted", (await sandbox.PythonAsync("1")).Notices);
        Assert.Equal(1, (await sandbox.Cove.ListKernelsAsync(sandbox.Id)).Single().Restarts);
    }

    [Theory]
    [InlineData("import ctypes; ctypes.string_at(0)")]
    [InlineData("import os; os.abort()")]
    [InlineData("import os, signal; os.kill(os.getpid(), signal.SIGTERM)")]
    public async Task However_an_interpreter_ends_itself_only_its_state_is_lost(string code)
    {
        await using var sandbox = await SandboxAsync();
        await sandbox.WriteAsync("/workspace/kept", "file");
        var run = await sandbox.PythonAsync(code);
        AssertOutcome(RunOutcome.Killed, "kernel_died", run);
        Assert.True(run.Result.StateLost);
        Assert.Equal("'file'", (await sandbox.PythonAsync("open('/workspace/kept').read()")).Value);
    }

    /// <summary>A stopped kernel takes nothing up: what is sent to it lies in its link, as with one that is about to die.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("\nif os.fork() == 0:\n    while True: time.sleep(60)")] // a child that holds the kernel's link open
    public async Task A_run_that_its_kernel_did_not_live_to_take_up_is_begun_by_a_fresh_one_and_only_once(string before)
    {
        await using var sandbox = await SandboxAsync();
        var pid = await sandbox.PrintedAsync($"import os, time\nlost = 7\nprint(os.getpid(), flush=True){before}");
        for (var i = 1; i <= 3; i++)
        {
            AssertOk(await sandbox.ShellAsync($"kill -STOP {pid}"));
            var run = sandbox.StartPython("import os\nopen('/workspace/begun', 'a').write('x')\nprint(os.getpid())\n'lost' in globals()");
            await run.Started;
            AssertOk(await sandbox.ShellAsync($"kill -KILL {pid}"));
            var ended = await run.Completion;
            Assert.True(ended.Value == "False", ended.ToString());
            Assert.Contains("kernel_restarted", ended.Notices);
            Assert.Equal(new string('x', i), await sandbox.ReadAsync("/workspace/begun"));
            pid = ended.Stdout.Trim();
        }
    }

    [Fact]
    public async Task So_is_one_of_a_shell()
    {
        await using var sandbox = await SandboxAsync();
        var shell = (await sandbox.RunAsync(new RunRequest { Code = "lost=7; echo $PPID", Language = Language.Bash })).Stdout.Trim();
        AssertOk(await sandbox.ShellAsync($"kill -STOP {shell}"));
        var run = sandbox.Start(new RunRequest { Code = "echo x >> /workspace/begun; echo \"[$lost]\"", Language = Language.Bash, Timeout = TimeSpan.FromSeconds(60) });
        await run.Started;
        AssertOk(await sandbox.ShellAsync($"kill -KILL {shell}"));
        var ended = await run.Completion;
        Assert.True(ended.Stdout == "[]\n", ended.ToString());
        Assert.Equal("x\n", await sandbox.ReadAsync("/workspace/begun"));
    }

    [Theory]
    [InlineData(0, RunOutcome.Ok, null)]
    [InlineData(5, RunOutcome.GuestError, "exit_code")]
    public async Task An_interpreter_that_leaves_by_itself_keeps_its_exit_code(int code, RunOutcome outcome, string? error)
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.PythonAsync($"import os; os._exit({code})");
        Assert.Equal((outcome, error, code, true), (run.Outcome, run.Result.Error?.Code, run.Result.ExitCode, run.Result.StateLost));
        Assert.Equal("2", (await sandbox.PythonAsync("1 + 1")).Value);
    }

    private static Task<Finished> InAsync(TestSandbox sandbox, string kernel, string code) =>
        sandbox.RunAsync(new RunRequest { Code = code, Kernel = kernel, Timeout = TimeSpan.FromSeconds(60) });
}
