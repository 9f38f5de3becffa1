namespace Cove;

/// <summary>What is known of a run, in progress or ended.</summary>
public sealed record RunInfo
{
    /// <summary>Its id.</summary>
    public required RunId Id { get; init; }

    /// <summary>The sandbox it runs in.</summary>
    public required SandboxId Sandbox { get; init; }

    /// <summary>The kernel it runs in; null for a command.</summary>
    public string? Kernel { get; init; }

    /// <summary>The correlation id it was asked for with; null when there was none.</summary>
    public string? CorrelationId { get; init; }

    /// <summary>When it was admitted.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>How it ended; null while it is in progress.</summary>
    public RunResult? Result { get; init; }

    /// <summary>The tool calls that wait for an answer, in the order they were made; null when there are none.</summary>
    public IReadOnlyList<PendingToolCall>? PendingToolCalls { get; init; }

    /// <summary>The sequence of its last event so far; what <c>after</c> takes to resume.</summary>
    public required long LastSequence { get; init; }
}
