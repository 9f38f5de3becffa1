using Cove.Engine.Journal;
using Cove.Engine.ToolCalls;

namespace Cove.Engine.Runs;

/// <summary>One run in progress: its events, the wish to stop it, and its clock.</summary>
internal sealed class Run
{
    private readonly TimeProvider _time;
    private readonly long _started;

    public Run(RunId id, SandboxJournal journal, TimeProvider time)
    {
        _time = time;
        _started = time.GetTimestamp();
        Id = id;
        Log = new RunLog(id, journal);
        Events = new RunEvents(Log, time);
    }

    public RunId Id { get; }

    /// <summary>The kernel it runs in, once it was let in.</summary>
    public string? Kernel { get; set; }

    /// <summary>Its standard input, where a caller may go on writing it.</summary>
    public RunStdin? Stdin { get; set; }

    /// <summary>Its tool calls, where its caller declared tools; set before it is let into its kernel.</summary>
    public ToolDesk? Tools { get; set; }

    /// <summary>What it said, for those who read.</summary>
    public RunLog Log { get; }

    public RunEvents Events { get; }

    public RunStop Stop { get; } = new();

    public TimeSpan Elapsed => _time.GetElapsedTime(_started);
}

/// <summary>How a run ended, before the facts that every result carries are added.</summary>
internal sealed record Verdict(RunOutcome Outcome, RunError? Error = null, int? ExitCode = null, bool StateLost = false)
{
    public static Verdict Refused(RunError error) => new(RunOutcome.Refused, error);
}
