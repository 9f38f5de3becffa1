namespace Cove.Engine.Journal;

/// <summary>The events of one run, as its sandbox's journal has them, and what they add up to.</summary>
internal sealed class RunLog(RunId id, SandboxJournal journal)
{
    private const int Overhead = 800;

    private EventWindow<RunEvent> _window = NewWindow();

    public RunId Id => id;

    /// <summary>What is known of the run; null before its first event, and for one that was refused.</summary>
    public RunInfo? Info { get; private set; }

    public bool HasEnded => Info is { Result: not null };

    /// <summary>Where its first event is on disk.</summary>
    public JournalPosition Start { get; private set; }

    /// <summary>What it takes in memory, estimated.</summary>
    public long Bytes => Overhead + Volatile.Read(ref _window).Bytes;

    /// <summary>Its place among the ended runs whose events are in memory; theirs to set.</summary>
    public LinkedListNode<RunLog>? Held { get; set; }

    /// <summary>What it counted for when it got that place.</summary>
    public long HeldBytes { get; set; }

    /// <summary>Appends the next event. For one writer at a time; their order is the numbers'.</summary>
    public void Append(RunEvent next)
    {
        if (next is RunCompleted { Sequence: 1, Result.Outcome: RunOutcome.Refused })
        {
            _window.Append(next, last: true); // it never was a run: nobody will ask for it again, and its id is free
            return;
        }

        var position = journal.Append(this, next);
        if (Info is null)
        {
            Start = position;
            Info = Fold(null, journal.Sandbox, id, next);
            journal.Know(this);
        }
        else
        {
            Info = Fold(Info, journal.Sandbox, id, next);
        }

        _window.Append(next, last: next is RunCompleted);
        if (journal.IsOnDisk)
        {
            _window.Trim(journal.Bounds.LiveRunBytes);
        }

        if (next is RunCompleted)
        {
            journal.NoteEnd(this);
        }
    }

    /// <summary>The events after one, to the last.</summary>
    public IAsyncEnumerable<RunEvent> ReadAsync(long after, CancellationToken cancellationToken = default) => new JournalStream<RunEvent>(
        Volatile.Read(ref _window), static e => e.Sequence, () => journal.Cursor(Start), Pick, static (last, next) => next.Sequence == last + 1)
        .ReadAsync(after, follow: true, cancellationToken);

    /// <summary>
    /// Lets go of what is in memory. Readers of a journal without files keep what they are reading until they are done; with files they
    /// go on from there.
    /// </summary>
    public void Drop()
    {
        if (journal.IsOnDisk)
        {
            _window.Trim(0);
            return;
        }

        // An empty window whose events were dropped: who asks from now on is told so.
        var gone = NewWindow();
        gone.Append(new RunNotice { Sequence = Info?.LastSequence ?? 0, Time = default, Code = "", Message = "" }, last: true);
        gone.Trim(0);
        Volatile.Write(ref _window, gone);
    }

    /// <summary>Adds an event to what is known of a run.</summary>
    public static RunInfo Fold(RunInfo? info, SandboxId sandbox, RunId run, RunEvent next)
    {
        info ??= new RunInfo { Id = run, Sandbox = sandbox, StartedAt = next.Time, LastSequence = next.Sequence };
        return next switch
        {
            RunStarted started => info with { Kernel = started.Kernel, CorrelationId = started.CorrelationId, StartedAt = next.Time, LastSequence = next.Sequence },
            RunToolCall call => info with { PendingToolCalls = [.. info.PendingToolCalls ?? [], Pending(call)], LastSequence = next.Sequence },
            RunToolAnswered answered => info with { PendingToolCalls = Without(info.PendingToolCalls, answered.CallId), LastSequence = next.Sequence },
            RunCompleted completed => info with { Result = completed.Result, PendingToolCalls = null, LastSequence = next.Sequence },
            _ => info with { LastSequence = next.Sequence },
        };
    }

    private static PendingToolCall Pending(RunToolCall call) => new() { CallId = call.CallId, Name = call.Name, Arguments = call.Arguments };

    private static List<PendingToolCall>? Without(IReadOnlyList<PendingToolCall>? calls, string callId) =>
        calls?.Where(c => c.CallId != callId).ToList() is { Count: > 0 } left ? left : null;

    private RunEvent? Pick(JournalLine line) => line.Kind == JournalKind.Run && line.Run == id ? line.RunEvent() : null;

    private static EventWindow<RunEvent> NewWindow() => new(static e => e.Sequence, EventSize.Of);
}
