using System.Text.Json;

namespace Cove.Agent.HostCalls;

/// <summary>How a <see cref="ToolBridge"/> answers.</summary>
public sealed record ToolBridgeOptions
{
    /// <summary>How long one call of a tool may take; then it is cancelled and fails in the guest as a timeout. Default 60 s; 10 ms to 12 h.</summary>
    public TimeSpan CallTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>How many calls one run may make. Default 100; 1 to 10,000.</summary>
    public int MaxCalls { get; init; } = 100;

    /// <summary>How many calls of one run are answered at once; others wait for their turn. Default 16; 1 to 128.</summary>
    public int MaxParallel { get; init; } = 16;

    /// <summary>Asked before a tool is called, after its arguments were found to fit its schema. One that throws allows nothing. Default: all is allowed.</summary>
    public Func<HostCall, CancellationToken, ValueTask<HostCallDecision>>? Approve { get; init; }

    /// <summary>How long <see cref="Approve"/> may take; without an answer by then the call is denied. Default 5 min; 10 ms to 12 h.</summary>
    public TimeSpan ApprovalTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Told of every call once it is over, also of those that were refused; possibly from several threads at once. Default: nobody.</summary>
    public Action<HostCallRecord>? Audit { get; init; }

    /// <summary>The clock. Default the system's.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Throws for the first value that does not hold, naming it, its value and what it may be.</summary>
    internal void Check()
    {
        Span(nameof(CallTimeout), CallTimeout);
        Span(nameof(ApprovalTimeout), ApprovalTimeout);
        Require(MaxCalls is >= 1 and <= 10_000, nameof(MaxCalls), MaxCalls, "1 to 10,000");
        Require(MaxParallel is >= 1 and <= 128, nameof(MaxParallel), MaxParallel, "1 to 128");
    }

    private static void Span(string name, TimeSpan value) =>
        Require(value >= TimeSpan.FromMilliseconds(10) && value <= TimeSpan.FromHours(12), name, value, "10 ms to 12 h");

    private static void Require(bool holds, string name, object value, string allowed)
    {
        if (!holds)
        {
            throw new ArgumentException($"ToolBridgeOptions.{name} is '{value}'; it must be {allowed}.", name);
        }
    }
}

/// <summary>A call that code in a sandbox makes of a tool on the host.</summary>
public sealed record HostCall
{
    /// <summary>The sandbox it comes from.</summary>
    public required SandboxId Sandbox { get; init; }

    /// <summary>The run it comes from.</summary>
    public required RunId Run { get; init; }

    /// <summary>Its id, unique in the run.</summary>
    public required string CallId { get; init; }

    /// <summary>The tool's name.</summary>
    public required string Tool { get; init; }

    /// <summary>The arguments: a JSON object written by the guest.</summary>
    public required JsonElement Arguments { get; init; }

    /// <summary>What the run's caller knows it by; null when there is nothing.</summary>
    public string? CorrelationId { get; init; }
}

/// <summary>Whether a call may be made.</summary>
/// <param name="Allowed">Whether it may.</param>
/// <param name="Reason">Why not, for the guest to read. Default: that it was not approved.</param>
public sealed record HostCallDecision(bool Allowed, string? Reason = null)
{
    /// <summary>It may.</summary>
    public static HostCallDecision Allow { get; } = new(true);

    /// <summary>It may not.</summary>
    public static HostCallDecision Deny(string? reason = null) => new(false, reason);
}

/// <summary>What became of a call.</summary>
/// <param name="Call">The call.</param>
/// <param name="Error">Why it failed; null when it has a result.</param>
/// <param name="Duration">How long it took, waiting for its turn and for approval included.</param>
public sealed record HostCallRecord(HostCall Call, HostFailure? Error, TimeSpan Duration);
