using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Chaos;

/// <summary>kill -9 of the launcher: everything it started dies with it, the engine says so and starts another.</summary>
public sealed class KilledLaunchers
{
    public enum Which
    {
        Outer,
        Inner,
    }

    [Theory]
    [InlineData(Which.Outer)]
    [InlineData(Which.Inner)]
    public async Task An_idle_engine_gets_a_new_one(Which which)
    {
        await using var own = await OwnEngine.StartAsync();
        var lost = await own.CreateAsync();
        var before = await KillAsync(own, which);
        var sandbox = await own.CreateAsync();
        Assert.Equal("2", (await sandbox.PythonAsync("1 + 1")).Value);
        Assert.Equivalent(lost.Info.Isolation, sandbox.Info.Isolation);
        await Hang.UntilAsync(async () => (await own.Engine.GetSandboxAsync(lost.Id)).State == SandboxState.Ended, "the lost sandbox has ended");
        Assert.Equal(SandboxEndReason.InfrastructureFailure, (await own.Engine.GetSandboxAsync(lost.Id)).EndReason);
        await Hang.UntilAsync(() => LauncherTree.Groups(before.EngineId).Count == 0, "the dead launcher's control groups are gone");
    }

    [Theory]
    [InlineData(Which.Outer)]
    [InlineData(Which.Inner)]
    public async Task Every_run_in_progress_ends_once_as_the_hosts_fault(Which which)
    {
        await using var own = await OwnEngine.StartAsync();
        var sandbox = await own.CreateAsync();
        LiveRun[] runs =
        [
            sandbox.StartPython("print('in')\nwhile True: pass"),
            sandbox.Start(new RunRequest { Code = "echo in; sleep 3600", Language = Language.Bash }),
            sandbox.Start(new RunRequest { ShellLine = "echo in; sleep 3600" }),
            sandbox.Start(new RunRequest { Argv = ["bash", "-c", "echo in; yes"] }),
        ];
        await Task.WhenAll(runs.Select(r => r.SaidAsync("in")));
        await KillAsync(own, which);
        foreach (var run in runs.Take(3))
        {
            var ended = await run.Completion;
            Assert.True(ended is { Outcome: RunOutcome.InfrastructureFailure, Result.Error: { Code: "backend_failed", Retryable: true } }, ended.ToString());
        }

        Assert.Contains((await runs[3].Completion).Outcome, new[] { RunOutcome.InfrastructureFailure, RunOutcome.OutputLimit });
        Assert.Equal("2", (await (await own.CreateAsync()).PythonAsync("1 + 1")).Value);
    }

    [Fact]
    public async Task A_burst_of_creates_ends_in_sandboxes_or_in_errors_worth_a_retry()
    {
        await using var own = await OwnEngine.StartAsync(poolSize: 2);
        var burst = Enumerable.Range(0, 10).Select(_ => own.CreateAsync()).ToList();
        await Hang.WatchAsync(Task.WhenAny(burst));
        await KillAsync(own, Which.Inner);
        foreach (var create in burst)
        {
            try
            {
                Assert.True(SandboxId.TryParse((await Hang.WatchAsync(create)).Id.Value, out _));
            }
            catch (CoveException exception)
            {
                Assert.True(exception.Error is { Retryable: true, Category: ErrorCategory.Infrastructure }, exception.ToString());
            }
        }

        Assert.Equal("2", (await (await own.CreateAsync()).PythonAsync("1 + 1")).Value);
    }

    [Fact]
    public async Task Files_and_usage_of_a_lost_sandbox_answer_that_it_ended()
    {
        await using var own = await OwnEngine.StartAsync();
        var sandbox = await own.CreateAsync();
        await sandbox.WriteAsync("/workspace/f", "x");
        await KillAsync(own, Which.Inner);
        await Hang.UntilAsync(async () => (await own.Engine.GetSandboxAsync(sandbox.Id)).State == SandboxState.Ended, "the lost sandbox has ended");
        Assert.Equal("sandbox_ended", (await Assert.ThrowsAsync<CoveException>(() => sandbox.ReadAsync("/workspace/f"))).Error.Code);
        Assert.Equal("sandbox_ended", (await Assert.ThrowsAsync<CoveException>(() => own.Engine.GetUsageAsync(sandbox.Id))).Error.Code);
    }

    private static async Task<LauncherTree> KillAsync(OwnEngine own, Which which)
    {
        var tree = own.Tree;
        HostProcesses.Kill(which == Which.Outer ? tree.Outer : tree.Inner);
        await Hang.UntilAsync(() => !tree.All.Any(HostProcesses.IsAlive), "the launcher and all below it are dead");
        return tree;
    }
}
