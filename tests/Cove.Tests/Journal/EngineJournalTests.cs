using System.Collections.Concurrent;
using Cove.Engine;
using Cove.Engine.Journal;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Journal;

/// <summary>Runs and sandboxes as their journal tells them, through a whole engine over a fake backend.</summary>
public sealed class EngineJournalTests
{
    private static readonly RunRequest Code = new() { Code = "x" };

    [Fact]
    public async Task A_run_that_was_started_goes_on_with_nobody_listening()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        var goOn = new TaskCompletionSource();
        cell.OnExecute = async run =>
        {
            await run.PrintAsync("first");
            await goOn.Task;
            await run.DoneAsync();
        };
        var run = await Eventually.Within(harness.Engine.StartRunAsync(id, Code));
        Assert.Equal(("python", (RunResult?)null), (run.Kernel, run.Result));
        goOn.SetResult();
        await Eventually.Holds(() => harness.Engine.GetRunAsync(id, run.Id).Result.Result is not null, "the run has ended");
        var events = await harness.Engine.ReadRunAsync(id, run.Id).ToListAsync();
        EngineHarness.CheckShape(events);
        Assert.Equal(events.Skip(2), await harness.Engine.ReadRunAsync(id, run.Id, 2).ToListAsync());
        Assert.Empty(await harness.Engine.ReadRunAsync(id, run.Id, events.Count).ToListAsync());
        Assert.Equal(run.Id, Assert.Single(await harness.Engine.ListRunsAsync(id)).Id);
        Assert.Equal(events.Count, (await harness.Engine.GetRunAsync(id, run.Id)).LastSequence);
    }

    [Fact]
    public async Task Many_read_one_run_each_at_its_own_pace()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.OnExecute = async run =>
        {
            for (var i = 0; i < 500; i++)
            {
                await run.PrintAsync($"{i}\n");
                await Task.Yield();
            }

            await run.DoneAsync();
        };
        var run = await harness.Engine.StartRunAsync(id, Code);
        var all = await Eventually.Within(Task.WhenAll(Enumerable.Range(0, 20).Select(async pace =>
        {
            var read = new List<RunEvent>();
            await foreach (var next in harness.Engine.ReadRunAsync(id, run.Id))
            {
                read.Add(next);
                for (var i = 0; i < pace; i++)
                {
                    await Task.Yield();
                }
            }

            return read;
        })));
        Assert.All(all, read => Assert.Equal(all[0], read));
        EngineHarness.CheckShape(all[0]);
    }

    [Fact]
    public async Task What_cannot_be_read_is_said()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.OnExecute = run => run.DoneAsync();
        var run = await harness.Engine.StartRunAsync(id, Code);
        await harness.Engine.ReadRunAsync(id, run.Id).ToListAsync();
        AssertError("run_not_found", () => harness.Engine.ReadRunAsync(id, new RunId("r9")));
        AssertError("sandbox_not_found", () => harness.Engine.ReadRunAsync(new SandboxId("s9"), run.Id));
        AssertError("invalid_request", () => harness.Engine.ReadRunAsync(id, run.Id, -1));
        AssertError("invalid_request", () => harness.Engine.ReadRunAsync(id, run.Id, 99));
        AssertError("invalid_request", () => harness.Engine.ReadRunAsync(id, new RunId("R!"), 0));
        Assert.Equal("run_id_in_use", (await Assert.ThrowsAsync<CoveException>(() => harness.Engine.StartRunAsync(id, Code with { Id = run.Id }))).Error.Code);
        Assert.Equal("invalid_request", (await Assert.ThrowsAsync<CoveException>(() => harness.Engine.StartRunAsync(id, new RunRequest()))).Error.Code);
        Assert.Single(await harness.Engine.ListRunsAsync(id)); // a refused run is none

        static void AssertError(string code, Func<object> call) => Assert.Equal(code, Assert.Throws<CoveException>(call).Error.Code);
    }

    [Fact]
    public async Task In_memory_the_newest_16_MiB_of_ended_runs_are_kept_and_older_ones_are_said_to_be_gone()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        var big = new string('x', 900_000); // twice that in memory
        cell.OnExecute = async run =>
        {
            await run.SendAsync($$"""{"t":"display","run":"{{run.Nonce}}","kind":"display","data":{"text/plain":"{{big}}"} }""");
            await run.DoneAsync();
        };
        var runs = new List<RunId>();
        for (var i = 0; i < 12; i++)
        {
            var run = await harness.Engine.StartRunAsync(id, Code);
            await Eventually.Within(harness.Engine.ReadRunAsync(id, run.Id).ToListAsync().AsTask());
            runs.Add(run.Id);
        }

        Assert.Equal(RunOutcome.Ok, (await harness.Engine.GetRunAsync(id, runs[0])).Result!.Outcome); // how it ended stays known
        var failure = await Assert.ThrowsAsync<CoveException>(async () => await harness.Engine.ReadRunAsync(id, runs[0]).ToListAsync());
        Assert.Equal("events_expired", failure.Error.Code);
        Assert.Equal(3, (await harness.Engine.ReadRunAsync(id, runs[^1]).ToListAsync()).Count);
    }

    [Fact]
    public async Task A_sandboxs_events_tell_its_life()
    {
        var time = new FakeTimeProvider();
        await using var harness = await EngineHarness.StartAsync(time: time);
        var (id, cell) = await harness.CreateAsync(new SandboxRequest { MaxLifetime = TimeSpan.FromSeconds(10) });
        cell.OnExecute = run => run.DoneAsync();
        var following = harness.Engine.ReadSandboxEventsAsync(id, follow: true).ToListAsync();
        var run = await harness.Engine.StartRunAsync(id, Code);
        await harness.Engine.ReadRunAsync(id, run.Id).ToListAsync();
        var info = await harness.Engine.ExtendSandboxAsync(id, new SandboxExtension { Lifetime = TimeSpan.FromMinutes(1), IdleTimeout = TimeSpan.FromMinutes(5) });
        Assert.Equal((time.GetUtcNow() + TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5)), (info.ExpiresAt, info.IdleTimeout));
        time.Advance(TimeSpan.FromSeconds(59));
        Assert.Equal(SandboxState.Ready, (await harness.Engine.GetSandboxAsync(id)).State);
        time.Advance(TimeSpan.FromSeconds(1));
        var events = await Eventually.Within(following.AsTask());
        Assert.Equal(["created", "run_started", "run_completed", "extended", "ended"], events.Select(e => e.Type));
        Assert.Equal((run.Id, RunOutcome.Ok), (events[2].Run, events[2].Outcome));
        Assert.Equal(SandboxEndReason.MaxLifetime, events[^1].EndReason);
        Assert.Equal(events.Select(e => e.Sequence).Order().Distinct(), events.Select(e => e.Sequence));
        Assert.Equal(events[3..], await harness.Engine.ReadSandboxEventsAsync(id, events[2].Sequence).ToListAsync());
        Assert.Equal("sandbox_ended", (await Assert.ThrowsAsync<CoveException>(() => harness.Engine.ExtendSandboxAsync(id, new SandboxExtension { Lifetime = TimeSpan.FromMinutes(1) }))).Error.Code);
    }

    [Theory]
    [InlineData(null, null)]
    [InlineData(0.5, null)]
    [InlineData(31.0 * 86400, null)]
    [InlineData(null, 0.5)]
    [InlineData(null, 90_000.0)]
    public async Task An_extension_that_makes_no_sense_is_refused(double? lifetime, double? idle)
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, _) = await harness.CreateAsync();
        var extension = new SandboxExtension { Lifetime = Span(lifetime), IdleTimeout = Span(idle) };
        Assert.Equal("invalid_request", (await Assert.ThrowsAsync<CoveException>(() => harness.Engine.ExtendSandboxAsync(id, extension))).Error.Code);

        static TimeSpan? Span(double? seconds) => seconds is { } s ? TimeSpan.FromSeconds(s) : null;
    }

    [Fact]
    public async Task Ends_are_told_with_the_processor_time_that_came_since()
    {
        var runs = new ConcurrentQueue<RunEnd>();
        var sandboxes = new ConcurrentQueue<SandboxEnd>();
        await using var harness = await EngineHarness.StartAsync(options: o => o with { OnRunEnded = runs.Enqueue, OnSandboxEnded = sandboxes.Enqueue });
        var (id, cell) = await harness.CreateAsync();
        cell.OnExecute = async run =>
        {
            cell.Usage = cell.Usage with { CpuNanoseconds = (cell.Usage.CpuNanoseconds ?? 0) + 5_000_000 };
            await run.DoneAsync();
        };
        for (var i = 1; i <= 2; i++)
        {
            await harness.RunAsync(id, Code);
            await Eventually.Holds(() => runs.Count == i, "the end is told, behind what its reader saw of it");
        }

        await harness.RunAsync(id, new RunRequest()); // refused: none
        cell.Usage = cell.Usage with { CpuNanoseconds = 17_000_000 };
        await harness.Engine.DeleteSandboxAsync(id);
        await Eventually.Holds(() => !sandboxes.IsEmpty, "the sandbox's end is told, behind the answer to who deleted it");
        Assert.Equal([6.0, 5.0], runs.Select(r => r.CpuTime!.Value.TotalMilliseconds)); // what was used before the first run is the first run's
        Assert.Equal((id, RunOutcome.Ok), (runs.First().Run.Sandbox, runs.First().Run.Result!.Outcome));
        var end = Assert.Single(sandboxes);
        Assert.Equal((SandboxEndReason.Deleted, 6.0), (end.Sandbox.EndReason, end.CpuTime!.Value.TotalMilliseconds));
    }

    [Fact]
    public async Task Who_was_told_that_a_sandbox_is_deleted_will_not_hear_another_reason_whenever_the_engine_is_killed()
    {
        using var directory = new TemporaryDirectory();
        var root = Path.Combine(directory.Path, "j");
        await using var harness = await EngineHarness.StartAsync(options: o => o with { JournalDirectory = root });
        var (id, cell) = await harness.CreateAsync();
        var freed = new TaskCompletionSource();
        cell.BeforeFreed = () => freed.Task;
        await Eventually.Within(harness.Engine.DeleteSandboxAsync(id));

        // As a kill at this moment would leave it: what it held is not given back, and nobody who follows was told.
        var paths = new JournalPaths(root);
        Assert.True(Directory.Exists(paths.Live(id)));
        var left = await new StoredJournal(paths, id, TimeProvider.System).ReadEventsAsync(0, CancellationToken.None).ToListAsync();
        Assert.Equal(("ended", SandboxEndReason.Deleted), (left[^1].Type, left[^1].EndReason));
        Assert.Equal(SandboxState.Ending, (await harness.Engine.GetSandboxAsync(id)).State);
        var following = harness.Engine.ReadSandboxEventsAsync(id, follow: true).ToListAsync().AsTask();
        freed.SetResult();
        Assert.Equal(["created", "ended"], (await Eventually.Within(following)).Select(e => e.Type));
        await Eventually.Holds(() => Directory.Exists(paths.Ended(id)), "its journal is complete");
        Assert.Equal(["created", "ended"], (await harness.Engine.ReadSandboxEventsAsync(id).ToListAsync()).Select(e => e.Type));
    }

    [Fact]
    public async Task After_its_end_a_sandboxs_runs_are_read_from_the_files()
    {
        using var directory = new TemporaryDirectory();
        await using var harness = await EngineHarness.StartAsync(options: o => o with { JournalDirectory = Path.Combine(directory.Path, "j") });
        var (id, cell) = await harness.CreateAsync();
        cell.OnExecute = run => run.DoneAsync();
        var run = await harness.Engine.StartRunAsync(id, Code);
        var live = await harness.Engine.ReadRunAsync(id, run.Id).ToListAsync();
        var before = await harness.Engine.GetRunAsync(id, run.Id);
        await harness.Engine.DeleteSandboxAsync(id);
        var stored = await harness.Engine.ReadRunAsync(id, run.Id).ToListAsync();
        Assert.Equal(live.Select(e => (e.Sequence, e.Time, e.GetType())), stored.Select(e => (e.Sequence, e.Time, e.GetType())));
        Assert.Equal(before.LastSequence, (await harness.Engine.GetRunAsync(id, run.Id)).LastSequence);
        Assert.Single(await harness.Engine.ListRunsAsync(id));
        Assert.Equal("ended", (await harness.Engine.ReadSandboxEventsAsync(id, follow: true).ToListAsync())[^1].Type);
    }
}
