namespace Cove.Wire;

/// <summary>An answer that lists kernels.</summary>
public sealed record KernelList(IReadOnlyList<KernelInfo> Kernels);

/// <summary>An answer that lists files.</summary>
public sealed record FileList(IReadOnlyList<FileEntry> Files);

/// <summary>An answer that lists templates.</summary>
public sealed record TemplateList(IReadOnlyList<TemplateInfo> Templates);

/// <summary>An answer that lists runs.</summary>
public sealed record RunList(IReadOnlyList<RunInfo> Runs);

/// <summary>A run that waits for answers of tool calls, in the place of a finished one.</summary>
public sealed record WaitingRun
{
    /// <summary>Always <c>waiting_for_tools</c>.</summary>
    public string Status { get; init; } = "waiting_for_tools";

    /// <summary>The run's id.</summary>
    public required RunId Run { get; init; }

    /// <summary>The sandbox it runs in.</summary>
    public required SandboxId Sandbox { get; init; }

    /// <summary>The calls that wait, in the order they were made; there may be more a moment later.</summary>
    public required IReadOnlyList<PendingToolCall> PendingToolCalls { get; init; }

    /// <summary>The sequence of the run's last event so far.</summary>
    public required long LastSequence { get; init; }
}
