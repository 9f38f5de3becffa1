using Xunit;

namespace Cove.Tests.Conformance;

public abstract class CommandEndConformance(BackendUnderTest backend) : ConformanceSuite(backend)
{
    [Theory]
    [InlineData("exit 0", 0)]
    [InlineData("exit 1", 1)]
    [InlineData("exit 255", 255)]
    [InlineData("no-such-command", 127)]
    public async Task A_command_ends_with_its_exit_code(string line, int code)
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.ShellAsync(line);
        Assert.Equal((code == 0 ? RunOutcome.Ok : RunOutcome.GuestError, code), (run.Outcome, run.Result.ExitCode ?? -1));
        Assert.Equal(code == 0 ? null : code, run.Result.Error?.Evidence?.ExitCode);
    }

    [Theory]
    [InlineData("no-such-program", 127)]
    [InlineData("/workspace", 126)]
    [InlineData("/etc/passwd", 126)]
    public async Task A_program_that_cannot_be_run_ends_as_in_a_shell(string program, int code)
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.RunAsync(new RunRequest { Argv = [program] });
        Assert.Equal((RunOutcome.GuestError, code), (run.Outcome, run.Result.ExitCode ?? -1));
        Assert.Contains(program, run.Stderr, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(9, "SIGKILL")]
    [InlineData(15, "SIGTERM")]
    [InlineData(11, "SIGSEGV")]
    [InlineData(6, "SIGABRT")]
    public async Task A_command_ended_by_a_signal_says_which(int signal, string name)
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.RunAsync(new RunRequest { Argv = ["bash", "-c", $"kill -{signal} $$"] });
        AssertOutcome(RunOutcome.Killed, "killed", run);
        Assert.Equal((128 + signal, name), (run.Result.ExitCode ?? 0, run.Result.Error!.Evidence!.Signal));
    }

    [Fact]
    public async Task A_child_left_in_the_background_does_not_hang_the_run()
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.ShellAsync("sleep 3600 & echo $! > /tmp/pids; echo started");
        AssertOk(run);
        Assert.Equal("started\n", run.Stdout);
        Assert.Equal("1 started, 1 alive\n", await CountAsync(sandbox)); // it is a daemon now, and goes on
    }

    [Fact]
    public async Task A_timeout_kills_the_whole_tree()
    {
        await using var sandbox = await HastyAsync();
        var run = await sandbox.ShellAsync("trap '' INT TERM; setsid sleep 3601 & echo $! > /tmp/pids; (sleep 3602 & echo $! >> /tmp/pids; wait) & echo $! >> /tmp/pids; while :; do sleep 3604; done", TimeSpan.FromSeconds(5)); // time enough to begin all of it
        AssertOutcome(RunOutcome.TimedOut, "wall_time_exceeded", run);
        Assert.Equal((124, "wall_time", 5000L), (run.Result.ExitCode ?? 0, run.Result.Error!.Evidence!.Limit, run.Result.Error.Evidence.LimitValue ?? 0));
        Assert.Equal("3 started, 0 alive\n", await CountAsync(sandbox));
    }

    [Fact]
    public async Task Killing_a_command_leaves_the_others_and_the_kernels_alone()
    {
        await using var sandbox = await SandboxAsync();
        NeedsProtection(sandbox, "memory"); // without control groups a tree cannot be told from the rest
        AssertOk(await sandbox.PythonAsync("kept = 7"));
        var victim = sandbox.Start(new RunRequest { ShellLine = "echo in; sleep 3600" });
        var other = sandbox.Start(new RunRequest { ShellLine = "echo in; while [ ! -e /tmp/go ]; do sleep 0.01; done; echo out" });
        await Task.WhenAll(victim.SaidAsync("in"), other.SaidAsync("in"));
        await sandbox.Cove.KillRunAsync(sandbox.Id, victim.Id);
        var killed = await victim.Completion;
        AssertOutcome(RunOutcome.Killed, "killed", killed);
        Assert.DoesNotContain("are gone", killed.Result.Error!.Remediation, StringComparison.Ordinal); // no kernel's variables
        await sandbox.WriteAsync("/tmp/go", "");
        Assert.Equal("in\nout\n", (await other.Completion).Stdout);
        Assert.Equal("7", (await sandbox.PythonAsync("kept")).Value);
    }

    [Fact]
    public async Task An_interrupted_command_may_end_in_its_own_way()
    {
        await using var sandbox = await SandboxAsync();
        var run = sandbox.Start(new RunRequest { Argv = ["bash", "-c", "trap 'echo bye; exit 0' INT; echo in; while :; do sleep 0.05; done"] });
        await run.SaidAsync("in");
        await sandbox.Cove.InterruptRunAsync(sandbox.Id, run.Id);
        var ended = await run.Completion;
        AssertOk(ended);
        Assert.Equal("in\nbye\n", ended.Stdout);
    }
}
