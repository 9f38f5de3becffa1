using Cove.Engine.Journal;
using Cove.Engine.Runs;
using Cove.Engine.ToolCalls;

namespace Cove.Engine;

public sealed partial class SandboxEngine
{
    private Journals Journal => Volatile.Read(ref _journals) ?? throw Refusals.EngineStopped();

    /// <inheritdoc/>
    /// <remarks>An unknown run is thrown at the call; events that are not there any more, and a reader that was cancelled, while reading.</remarks>
    public IAsyncEnumerable<RunEvent> ReadRunAsync(SandboxId sandbox, RunId run, long after = 0, CancellationToken cancellationToken = default)
    {
        RunRules.After(after);
        if (Journal.Find(Checked(sandbox))?.Find(Checked(run)) is { } log)
        {
            return log.ReadAsync(after <= log.Info!.LastSequence ? after : throw Beyond(after, log.Info), cancellationToken);
        }

        var (stored, info) = Stored(sandbox, run);
        return stored.ReadRunAsync(run, after <= info.LastSequence ? after : throw Beyond(after, info), cancellationToken);
    }

    /// <inheritdoc/>
    public Task<RunInfo> GetRunAsync(SandboxId sandbox, RunId run, CancellationToken cancellationToken = default) =>
        Journal.Find(Checked(sandbox))?.Find(Checked(run)) is { Info: { } info }
            ? Task.FromResult(info)
            : Task.Run(() => Stored(sandbox, run).Info, cancellationToken);

    /// <inheritdoc/>
    public Task<IReadOnlyList<RunInfo>> ListRunsAsync(SandboxId sandbox, CancellationToken cancellationToken = default) =>
        Journal.Find(Checked(sandbox)) is { } journal
            ? Task.FromResult(journal.Runs())
            : Task.Run<IReadOnlyList<RunInfo>>(() => [.. Stored(sandbox).Summarize().Runs.Values.OrderByDescending(r => r.StartedAt).Take(SandboxJournal.MaxRuns)], cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<SandboxEvent> ReadSandboxEventsAsync(SandboxId sandbox, long after = 0, bool follow = false, CancellationToken cancellationToken = default)
    {
        RunRules.After(after);
        return Journal.Find(Checked(sandbox)) is { } journal ? journal.ReadAsync(after, follow, cancellationToken) : Stored(sandbox).ReadEventsAsync(after, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task WriteStdinAsync(SandboxId sandbox, RunId run, ReadOnlyMemory<byte> input, bool close = false, CancellationToken cancellationToken = default)
    {
        RunRules.Input(input);
        var found = _sandboxes.Open(Checked(sandbox));
        if (found.FindRun(Checked(run)) is not { } running)
        {
            throw found.Journal.Find(run) is null ? Refusals.RunNotFound(run) : Refusals.RunEnded(run);
        }

        await (running.Stdin ?? throw Refusals.StdinClosed(run, "it was not kept open")).WriteAsync(input, close, cancellationToken);
    }

    /// <inheritdoc/>
    public async Task AnswerToolCallAsync(SandboxId sandbox, RunId run, string callId, HostAnswer answer, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(callId);
        ArgumentNullException.ThrowIfNull(answer);
        ToolRules.Check(answer);
        var found = _sandboxes.Open(Checked(sandbox));
        if (found.FindRun(Checked(run)) is not { } running)
        {
            throw found.Journal.Find(run) is null ? Refusals.RunNotFound(run) : Refusals.ToolRunEnded(run);
        }

        await (running.Tools ?? throw Refusals.ToolCallNotFound(run, callId)).AnswerAsync(callId, ToolRules.Whole(answer), cancellationToken);
    }

    /// <summary>Makes the journal's files another user's, before this process becomes that user.</summary>
    internal void GiveJournalsTo(uint user)
    {
        if (Journal.Paths is not { } paths)
        {
            return;
        }

        foreach (var entry in Directory.EnumerateFileSystemEntries(paths.Root, "*", SearchOption.AllDirectories).Append(paths.Root))
        {
            Posix.Give(entry, user);
        }
    }

    private static RunId Checked(RunId id) =>
        RunId.TryParse(id.Value, out _) ? id : throw Refusals.InvalidRequest("run", id.Value ?? "null", "1 to 40 characters of a-z and 0-9");

    private static CoveException Beyond(long after, RunInfo info) =>
        Refusals.InvalidRequest("after", after, $"at most {info.LastSequence}, the sequence of the run's last event");

    /// <summary>A journal in files alone. Where there is none, the sandbox says why: never there, or ended too long ago.</summary>
    private StoredJournal Stored(SandboxId sandbox)
    {
        if (Journal.Stored(sandbox) is { } stored)
        {
            return stored;
        }

        var info = _sandboxes.Describe(sandbox);
        throw Refusals.SandboxEnded(sandbox, info.EndReason);
    }

    private (StoredJournal Stored, RunInfo Info) Stored(SandboxId sandbox, RunId run)
    {
        if (Journal.Paths is null && Journal.Find(sandbox) is not null)
        {
            throw Refusals.RunNotFound(run);
        }

        var stored = Stored(sandbox);
        return (stored, stored.Summarize().Runs.GetValueOrDefault(run) ?? throw Refusals.RunNotFound(run));
    }
}
