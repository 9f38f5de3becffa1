namespace Cove.Engine.Runs;

/// <summary>One run in progress: its events, the wish to stop it, and its clock.</summary>
internal sealed class Run(RunId id, TimeProvider time)
{
    private readonly long _started = time.GetTimestamp();

    public RunId Id => id;

    /// <summary>The kernel it runs in, once it was let in.</summary>
    public string? Kernel { get; set; }

    public RunEvents Events { get; } = new(time);

    public RunStop Stop { get; } = new();

    public TimeSpan Elapsed => time.GetElapsedTime(_started);
}

/// <summary>How a run ended, before the facts that every result carries are added.</summary>
internal sealed record Verdict(RunOutcome Outcome, RunError? Error = null, int? ExitCode = null, bool StateLost = false)
{
    public static Verdict Refused(RunError error) => new(RunOutcome.Refused, error);
}
