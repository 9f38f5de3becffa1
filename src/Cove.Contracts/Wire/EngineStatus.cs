using System.Text.Json.Serialization;

namespace Cove.Wire;

/// <summary>What a running engine says of itself.</summary>
public sealed record EngineStatus
{
    /// <summary>Its process id.</summary>
    public required int Pid { get; init; }

    /// <summary>When it started.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>How long it has been running.</summary>
    [JsonPropertyName("uptime_ms"), JsonConverter(typeof(MillisecondsConverter))]
    public required TimeSpan Uptime { get; init; }

    /// <summary>How long nothing has been asked of it and it has had no sandbox; zero while it has work.</summary>
    [JsonPropertyName("idle_ms"), JsonConverter(typeof(MillisecondsConverter))]
    public required TimeSpan Idle { get; init; }

    /// <summary>After how much idle time it ends by itself.</summary>
    [JsonPropertyName("idle_limit_ms"), JsonConverter(typeof(MillisecondsConverter))]
    public required TimeSpan IdleLimit { get; init; }

    /// <summary>Identifies the build it runs.</summary>
    public required string Build { get; init; }

    /// <summary>How many sandboxes have not ended.</summary>
    public required int Sandboxes { get; init; }

    /// <summary>Whether it ends as soon as it has nothing to do.</summary>
    public required bool Stopping { get; init; }

    /// <summary>The boundary it draws.</summary>
    public required IsolationTier Isolation { get; init; }
}
