using Cove.Engine;
using Cove.Tests.Leaks;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Journal;

/// <summary>What the next engine knows of what a killed one was doing.</summary>
public sealed class KilledEngines
{
    [Fact]
    public async Task Every_sandbox_and_every_run_of_a_killed_engine_is_accounted_for()
    {
        using var directory = new TemporaryDirectory();
        var journal = Path.Combine(directory.Path, "journal");
        await using (var killed = await HostedEngine.StartAsync(journal))
        {
            await killed.DoAsync("hold");
            killed.Kill();
            await killed.ExitAsync();
        }

        var runs = new List<RunEnd>();
        var sandboxes = new List<SandboxEnd>();
        await using var next = await EngineHarness.StartAsync(options: o => o with { JournalDirectory = journal, OnRunEnded = runs.Add, OnSandboxEnded = sandboxes.Add });
        Assert.Equal((3, 6), (sandboxes.Count, runs.Count));
        Assert.All(sandboxes, s => Assert.Equal((SandboxState.Ended, SandboxEndReason.EngineLost), (s.Sandbox.State, s.Sandbox.EndReason)));
        foreach (var (run, _) in runs)
        {
            await AssertAccountedForAsync(next.Engine, run);
        }

        var ended = await next.Engine.ListSandboxesAsync(new SandboxFilter { States = [SandboxState.Ended] });
        Assert.Equal(sandboxes.Select(s => s.Sandbox.Id.Value).Order(), ended.Sandboxes.Select(s => s.Id.Value).Order());
    }

    private static async Task AssertAccountedForAsync(SandboxEngine engine, RunInfo run)
    {
        var events = Finished.Checked(await engine.ReadRunAsync(run.Sandbox, run.Id).ToListAsync());
        Assert.Contains("in", events.Stdout, StringComparison.Ordinal);
        Assert.Equal((RunOutcome.InfrastructureFailure, "engine_lost"), (events.Outcome, events.Result.Error!.Code));
        Assert.Equal(System.Text.Encoding.UTF8.GetByteCount(events.Stdout), events.Result.StdoutBytes);
        Assert.Equal(events.Events[^1].Sequence, Assert.Single(await engine.ReadRunAsync(run.Sandbox, run.Id, events.Events.Count - 1).ToListAsync()).Sequence);
        Assert.Equal(RunOutcome.InfrastructureFailure, (await engine.GetRunAsync(run.Sandbox, run.Id)).Result!.Outcome);
        Assert.Equal(2, (await engine.ListRunsAsync(run.Sandbox)).Count);
        Assert.Equal(SandboxEndReason.EngineLost, (await engine.GetSandboxAsync(run.Sandbox)).EndReason);
        Assert.Equal(("ended", SandboxEndReason.EngineLost), (await engine.ReadSandboxEventsAsync(run.Sandbox).ToListAsync())[^1] is var last ? (last.Type, last.EndReason) : default);
    }
}
