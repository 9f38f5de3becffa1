using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Conformance;

public abstract class BashConformance(BackendUnderTest backend) : ConformanceSuite(backend)
{
    [Fact]
    public async Task Directory_variables_functions_and_options_stay()
    {
        await using var sandbox = await SandboxAsync();
        AssertOk(await BashAsync(sandbox, "cd /tmp; name=cove; greet() { echo \"hello $1\"; }; shopt -s nullglob"));
        var run = await BashAsync(sandbox, "pwd; greet $name; echo *.nothing");
        Assert.Equal("/tmp\nhello cove\n\n", run.Stdout);
    }

    [Theory]
    [InlineData("false", 1)]
    [InlineData("(exit 42)", 42)]
    [InlineData("no_such_command", 127)]
    [InlineData("echo 'unclosed", 2)]
    public async Task A_cell_ends_with_the_exit_code_of_its_last_command(string code, int exitCode)
    {
        await using var sandbox = await SandboxAsync();
        AssertOk(await BashAsync(sandbox, "kept=7"));
        var run = await BashAsync(sandbox, code);
        Assert.Equal((RunOutcome.GuestError, exitCode), (run.Outcome, run.Result.ExitCode ?? -1));
        Assert.Equal("7\n", (await BashAsync(sandbox, "echo $kept")).Stdout);
    }

    [Fact]
    public async Task Leaving_the_shell_ends_the_run_with_its_code()
    {
        await using var sandbox = await SandboxAsync();
        var run = await BashAsync(sandbox, "exit 3");
        Assert.Equal((RunOutcome.GuestError, 3, true), (run.Outcome, run.Result.ExitCode ?? -1, run.Result.StateLost));
        Assert.Contains("state_lost", run.Notices);
        Assert.Equal("on\n", (await BashAsync(sandbox, "echo on")).Stdout);
    }

    [Fact]
    public async Task Both_streams_and_what_is_no_text_arrive()
    {
        await using var sandbox = await SandboxAsync();
        var run = await BashAsync(sandbox, "echo out; echo err >&2; printf 'a\\xffb\\n'");
        Assert.Equal(("out\na\uFFFDb\n", "err\n"), (run.Stdout, run.Stderr));
    }

    [Fact]
    public async Task An_interrupt_ends_the_cell_and_keeps_the_shell()
    {
        await using var sandbox = await SandboxAsync();
        AssertOk(await BashAsync(sandbox, "kept=7"));
        var run = sandbox.Start(new RunRequest { Code = "echo in; while :; do sleep 100; done", Language = Language.Bash, Timeout = TimeSpan.FromSeconds(60) });
        await run.SaidAsync("in");
        await sandbox.Cove.InterruptRunAsync(sandbox.Id, run.Id);
        AssertOutcome(RunOutcome.Interrupted, "interrupted", await run.Completion);
        Assert.Equal("7\n", (await BashAsync(sandbox, "echo $kept")).Stdout);
    }

    [Fact]
    public async Task A_shell_that_ignores_interrupts_is_killed_and_its_state_lost()
    {
        await using var sandbox = await HastyAsync();
        AssertOk(await BashAsync(sandbox, "true")); // so that the wall time is not spent on starting the shell
        var run = await sandbox.RunAsync(new RunRequest
        {
            Code = "lost=7; trap '' INT; while :; do :; done", Language = Language.Bash, Timeout = TimeSpan.FromSeconds(5),
        });
        AssertOutcome(RunOutcome.TimedOut, "wall_time_exceeded", run);
        Assert.True(run.Result.StateLost);
        var next = await BashAsync(sandbox, "echo \"[$lost]\"");
        Assert.Equal("[]\n", next.Stdout);
        Assert.Contains("kernel_restarted", next.Notices);
    }

    private static Task<Finished> BashAsync(TestSandbox sandbox, string code) =>
        sandbox.RunAsync(new RunRequest { Code = code, Language = Language.Bash, Timeout = TimeSpan.FromSeconds(60) });
}
