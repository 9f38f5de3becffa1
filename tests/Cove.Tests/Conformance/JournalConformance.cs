using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Conformance;

/// <summary>Runs that nobody has to listen to, read again from any event, and written to.</summary>
public abstract class JournalConformance(BackendUnderTest backend) : ConformanceSuite(backend)
{
    [Fact]
    public async Task A_started_run_is_read_from_any_event_on()
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.Cove.StartRunAsync(sandbox.Id, new RunRequest { Code = "for i in range(20): print(i, flush=True)\ni" });
        var events = Finished.Checked(await ReadAsync(sandbox, run.Id, 0));
        AssertOk(events);
        Assert.Equal(string.Concat(Enumerable.Range(0, 20).Select(i => $"{i}\n")), events.Stdout);
        for (var after = 0; after < events.Events.Count; after++)
        {
            Assert.Equal(events.Events.Skip(after), await ReadAsync(sandbox, run.Id, after));
        }

        Assert.Equal(RunOutcome.Ok, (await sandbox.Cove.GetRunAsync(sandbox.Id, run.Id)).Result!.Outcome);
    }

    [Fact]
    public async Task Who_stops_reading_a_started_run_does_not_stop_it()
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.Cove.StartRunAsync(sandbox.Id, new RunRequest { ShellLine = "echo in; cat; echo out", KeepStdinOpen = true });
        await foreach (var next in sandbox.Cove.ReadRunAsync(sandbox.Id, run.Id))
        {
            if (next is RunOutput)
            {
                break;
            }
        }

        await sandbox.Cove.WriteStdinAsync(sandbox.Id, run.Id, "fed\n"u8.ToArray());
        await sandbox.Cove.WriteStdinAsync(sandbox.Id, run.Id, default, close: true);
        var all = Finished.Checked(await ReadAsync(sandbox, run.Id, 0));
        Assert.Equal((RunOutcome.Ok, "in\nfed\nout\n"), (all.Outcome, all.Stdout));
    }

    [Fact]
    public async Task Input_that_is_never_closed_does_not_outlive_the_run()
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.RunAsync(new RunRequest { ShellLine = "head -c 3; exec 0<&-; exit 4", Stdin = "abcdef"u8.ToArray(), KeepStdinOpen = true });
        Assert.Equal((RunOutcome.GuestError, "abc"), (run.Outcome, run.Stdout));
    }

    [Fact]
    public async Task A_run_to_its_end_is_one_object()
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.Cove.RunToEndAsync(sandbox.Id, new RunRequest { Code = "import sys\nprint(1)\nprint(2, file=sys.stderr)\n3" });
        Assert.Equal((RunOutcome.Ok, "1\n", "2\n", "3"), (run.Result.Outcome, run.Stdout, run.Stderr, run.Displays.Single(d => d.IsResult).Data["text/plain"]));
    }

    private static async Task<List<RunEvent>> ReadAsync(TestSandbox sandbox, RunId run, long after) =>
        await Hang.WatchAsync(sandbox.Cove.ReadRunAsync(sandbox.Id, run, after).ToListAsync().AsTask());
}
