using System.Runtime.CompilerServices;
using Cove.Engine.Runs;

namespace Cove.Engine.Journal;

/// <summary>A journal that is read from its files alone: of a sandbox that ended, or of runs its own engine has forgotten.</summary>
internal sealed class StoredJournal(JournalPaths paths, SandboxId sandbox, TimeProvider time)
{
    /// <summary>A run's events after one, to the last.</summary>
    public async IAsyncEnumerable<RunEvent> ReadRunAsync(RunId run, long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        RunEvent? last = null;
        var written = new WrittenBytes();
        await foreach (var next in ReadAsync(line => line.Kind == JournalKind.Run && line.Run == run ? line.RunEvent() : null, cancellationToken))
        {
            if (next.Sequence > after)
            {
                var expected = Math.Max(after, last?.Sequence ?? 0) + 1;
                yield return next.Sequence == expected ? next : throw Refusals.EventsExpired(expected - 1, next.Sequence);
            }

            last = next;
            written += WrittenBytes.Of(next);
        }

        if (last is null)
        {
            throw Refusals.RunNotFound(run);
        }

        // Its sandbox could not wait for it: it has an end all the same.
        if (last is not RunCompleted && last.Sequence + 1 > after)
        {
            yield return Lost(last.Sequence + 1, last.Time, written);
        }
    }

    /// <summary>What happened to the sandbox after an event.</summary>
    public IAsyncEnumerable<SandboxEvent> ReadEventsAsync(long after, CancellationToken cancellationToken) => ReadAsync(
        line => line.Sequence > after ? line.SandboxEvent() : null, cancellationToken);

    /// <summary>What the files say altogether.</summary>
    public JournalSummary Summarize()
    {
        var summary = new JournalSummary(sandbox);
        var cursor = new JournalCursor(paths, sandbox, default);
        var none = new List<JournalSummary>();
        while (cursor.ReadBlock(summary.Take, none))
        {
            // All of it.
        }

        return summary;
    }

    /// <summary>The end of a run whose engine was killed.</summary>
    public RunCompleted Lost(long sequence, DateTimeOffset at, WrittenBytes written, RunInfo? info = null, IsolationTier? isolation = null) => new()
    {
        Sequence = sequence,
        Time = time.GetUtcNow(),
        Result = new RunResult
        {
            Outcome = RunOutcome.InfrastructureFailure,
            Error = Outcomes.EngineLost(),
            Duration = at > info?.StartedAt ? at - info.StartedAt : TimeSpan.Zero,
            StateLost = info?.Kernel is not null,
            StdoutBytes = written.Stdout,
            StderrBytes = written.Stderr,
            Isolation = isolation ?? new IsolationTier { Backend = "unknown", Privilege = "unknown", Degraded = [] },
        },
    };

    private async IAsyncEnumerable<T> ReadAsync<T>(JournalPick<T> pick, [EnumeratorCancellation] CancellationToken cancellationToken)
        where T : class
    {
        var cursor = new JournalCursor(paths, sandbox, default);
        var found = new List<T>();
        await Task.Yield(); // files are read on a thread of the pool, not on the caller's
        while (cursor.ReadBlock(pick, found))
        {
            foreach (var next in found)
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return next;
            }

            found.Clear();
        }
    }
}

/// <summary>What a journal adds up to.</summary>
internal sealed class JournalSummary(SandboxId sandbox)
{
    /// <summary>What its last segment knew of the sandbox.</summary>
    public SandboxInfo? Info { get; private set; }

    /// <summary>Whether its sandbox's end is in it.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>The number of its last line.</summary>
    public long Sequence { get; private set; }

    /// <summary>When the last event was.</summary>
    public DateTimeOffset LastTime { get; private set; }

    public Dictionary<RunId, RunInfo> Runs { get; } = [];

    /// <summary>What each run wrote.</summary>
    public Dictionary<RunId, WrittenBytes> Written { get; } = [];

    /// <summary>Adds a line; wants none of it itself.</summary>
    public JournalSummary? Take(JournalLine line)
    {
        Sequence = Math.Max(Sequence, line.Sequence);
        switch (line.Kind)
        {
            case JournalKind.Info:
                Info = line.SandboxInfo();
                break;
            case JournalKind.Sandbox when line.SandboxEvent() is { } next:
                HasEnded |= next.Type == "ended";
                LastTime = next.Time;
                break;
            case JournalKind.Run:
                var run = line.Run!.Value;
                var happened = line.RunEvent();
                LastTime = happened.Time;
                Runs[run] = RunLog.Fold(Runs.GetValueOrDefault(run), sandbox, run, happened);
                Written[run] = Written.GetValueOrDefault(run) + WrittenBytes.Of(happened);
                break;
        }

        return null;
    }
}
