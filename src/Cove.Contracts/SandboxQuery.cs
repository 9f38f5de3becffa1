using System.Text.Json.Serialization;

namespace Cove;

/// <summary>Which sandboxes to list. Everything given must hold.</summary>
public sealed record SandboxFilter
{
    /// <summary>Only these states. Default: all but <see cref="SandboxState.Ended"/>.</summary>
    public IReadOnlyCollection<SandboxState>? States { get; init; }

    /// <summary>Only those of this template.</summary>
    public string? Template { get; init; }

    /// <summary>Only those whose metadata has all of these labels with exactly these values.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>How many at most. Default 100; 1 to 1,000.</summary>
    public int Limit { get; init; } = 100;

    /// <summary>Where the page before this one ended: its <see cref="SandboxPage.NextCursor"/>. Opaque.</summary>
    public string? Cursor { get; init; }
}

/// <summary>Some sandboxes, oldest first.</summary>
/// <param name="Sandboxes">The sandboxes.</param>
/// <param name="NextCursor">Where the next page begins; null when this is the last.</param>
public sealed record SandboxPage(IReadOnlyList<SandboxInfo> Sandboxes, string? NextCursor = null);

/// <summary>A change of a sandbox's life; what is null stays as it is.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record SandboxExtension
{
    /// <summary>The sandbox then ends this long from now, whatever it does. 1 s to 30 days from now; also shorter than before.</summary>
    [JsonPropertyName("lifetime_ms"), JsonConverter(typeof(MillisecondsConverter))]
    public TimeSpan? Lifetime { get; init; }

    /// <summary>The new idle timeout. 1 s to 24 h.</summary>
    [JsonPropertyName("idle_timeout_ms"), JsonConverter(typeof(MillisecondsConverter))]
    public TimeSpan? IdleTimeout { get; init; }
}

/// <summary>Which network a sandbox has. The set grows; today there is one.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<NetworkPolicy>))]
public enum NetworkPolicy
{
    /// <summary>Loopback alone.</summary>
    None,
}

/// <summary>Something that happened to a sandbox, from its journal.</summary>
public sealed record SandboxEvent
{
    /// <summary>Its place in the sandbox's journal: it grows, with gaps where runs wrote their own events.</summary>
    public required long Sequence { get; init; }

    /// <summary>When the engine saw it.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>What happened: <c>created</c>, <c>extended</c>, <c>run_started</c>, <c>run_completed</c>, <c>kernel_restarted</c>, <c>ended</c>.</summary>
    public required string Type { get; init; }

    /// <summary>The run concerned.</summary>
    public RunId? Run { get; init; }

    /// <summary>How that run ended.</summary>
    public RunOutcome? Outcome { get; init; }

    /// <summary>The kernel concerned.</summary>
    public string? Kernel { get; init; }

    /// <summary>Why the sandbox ended.</summary>
    public SandboxEndReason? EndReason { get; init; }
}
