using System.Text.Json.Serialization;

namespace Cove;

/// <summary>How a run ended, naming the culprit.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<RunOutcome>))]
public enum RunOutcome
{
    /// <summary>The code ran to its end.</summary>
    Ok,

    /// <summary>The code raised, or the command's exit code was not 0.</summary>
    GuestError,

    /// <summary>The wall time was over.</summary>
    TimedOut,

    /// <summary>The memory limit was hit.</summary>
    OutOfMemory,

    /// <summary>More than 64 MiB were written to a stream.</summary>
    OutputLimit,

    /// <summary>The caller interrupted it; the kernel's state is kept.</summary>
    Interrupted,

    /// <summary>It was killed, by the caller or by its own doing.</summary>
    Killed,

    /// <summary>It was not started: the request was bad, the kernel busy or the sandbox gone.</summary>
    Refused,

    /// <summary>Our fault or the host's, not the guest's.</summary>
    InfrastructureFailure,
}

/// <summary>The end of a run, as the supervisor outside the guest saw it.</summary>
public sealed record RunResult
{
    /// <summary>How it ended.</summary>
    public required RunOutcome Outcome { get; init; }

    /// <summary>The exit code: of a command its own, of code 0, 1 after an exception or what it passed to <c>exit</c>; 128 plus the signal when a signal ended it; null when there is none.</summary>
    public int? ExitCode { get; init; }

    /// <summary>What went wrong; null when the outcome is <see cref="RunOutcome.Ok"/>.</summary>
    public RunError? Error { get; init; }

    /// <summary>Wall time from start to end, measured outside the guest.</summary>
    [JsonPropertyName("duration_ms"), JsonConverter(typeof(MillisecondsConverter))]
    public required TimeSpan Duration { get; init; }

    /// <summary>How much of <see cref="Duration"/> the run's clock stood still because a tool call waited for its answer; null for a run without tools.</summary>
    [JsonPropertyName("tool_wait_ms"), JsonConverter(typeof(MillisecondsConverter))]
    public TimeSpan? ToolWait { get; init; }

    /// <summary>How many tool calls it made; null for a run without tools.</summary>
    public int? ToolCalls { get; init; }

    /// <summary>Whether the kernel's variables were lost (it was killed, or died).</summary>
    public bool StateLost { get; init; }

    /// <summary>The most memory the sandbox used until now, bytes; null where the host offers no accounting.</summary>
    public long? PeakMemoryBytes { get; init; }

    /// <summary>
    /// How long the processor limit kept the sandbox from running during the run; null where the host offers no accounting. The host counts it for
    /// each processor that the sandbox wanted, so with several busy threads it can exceed <see cref="Duration"/>; whatever else runs in the
    /// sandbox meanwhile counts too.
    /// </summary>
    [JsonPropertyName("cpu_throttled_ms"), JsonConverter(typeof(MillisecondsConverter))]
    public TimeSpan? CpuThrottled { get; init; }

    /// <summary>Bytes the guest wrote to standard output, also those that were cut.</summary>
    public long StdoutBytes { get; init; }

    /// <summary>Bytes the guest wrote to standard error, also those that were cut.</summary>
    public long StderrBytes { get; init; }

    /// <summary>The isolation the run had.</summary>
    public required IsolationTier Isolation { get; init; }
}

/// <summary>An error an agent can reason about.</summary>
public sealed record RunError
{
    /// <summary>A stable name, for example <c>python_exception</c>, <c>wall_time_exceeded</c>.</summary>
    public required string Code { get; init; }

    /// <summary>Whose doing and of what kind.</summary>
    public required ErrorCategory Category { get; init; }

    /// <summary>Whether the same request may succeed when repeated unchanged.</summary>
    public required bool Retryable { get; init; }

    /// <summary>What happened, in a sentence.</summary>
    public required string Message { get; init; }

    /// <summary>What to do about it.</summary>
    public required string Remediation { get; init; }

    /// <summary>What was seen.</summary>
    public ErrorEvidence? Evidence { get; init; }
}

/// <summary>Kinds of errors.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<ErrorCategory>))]
public enum ErrorCategory
{
    /// <summary>The code is wrong: fix it.</summary>
    Code,

    /// <summary>A limit was reached: use less or ask for more.</summary>
    Limit,

    /// <summary>The request is wrong: correct the named field.</summary>
    Request,

    /// <summary>What is asked for is not (or no longer) there.</summary>
    NotFound,

    /// <summary>Something else is in progress; try again.</summary>
    Conflict,

    /// <summary>The caller's own doing.</summary>
    Caller,

    /// <summary>Our fault or the host's.</summary>
    Infrastructure,
}

/// <summary>What the supervisor saw, and what the interpreter said.</summary>
public sealed record ErrorEvidence
{
    /// <summary>The exception's type, for example <c>ZeroDivisionError</c>; said by the guest.</summary>
    public string? ExceptionType { get; init; }

    /// <summary>The exception's message; said by the guest.</summary>
    public string? ExceptionMessage { get; init; }

    /// <summary>User frames with line numbers and source; said by the guest.</summary>
    public string? Traceback { get; init; }

    /// <summary>The exit code.</summary>
    public int? ExitCode { get; init; }

    /// <summary>The signal that ended it, for example <c>SIGKILL</c>.</summary>
    public string? Signal { get; init; }

    /// <summary>The limit that was hit, for example <c>memory</c>, <c>wall_time</c>, <c>cpu</c>, <c>output</c>.</summary>
    public string? Limit { get; init; }

    /// <summary>That limit's value, in bytes, milliseconds or thousandths of a CPU as fits.</summary>
    public long? LimitValue { get; init; }

    /// <summary>The most memory the sandbox used, bytes.</summary>
    public long? PeakMemoryBytes { get; init; }

    /// <inheritdoc cref="RunResult.CpuThrottled"/>
    [JsonPropertyName("cpu_throttled_ms"), JsonConverter(typeof(MillisecondsConverter))]
    public TimeSpan? CpuThrottled { get; init; }
}
