using System.Text.Json.Serialization;

namespace Cove;

/// <summary>The language of a kernel or of a run's code.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<Language>))]
public enum Language
{
    /// <summary>Python, the distribution's interpreter.</summary>
    Python,

    /// <summary>bash.</summary>
    Bash,

    /// <summary>JavaScript on Node.</summary>
    [JsonStringEnumMemberName("javascript")]
    JavaScript,
}

/// <summary>A stateful interpreter inside a sandbox.</summary>
public sealed record KernelInfo
{
    /// <summary>Its name, unique in the sandbox; the default kernel of a language is named after it (<c>python</c>, <c>bash</c>, <c>javascript</c>).</summary>
    public required string Id { get; init; }

    /// <summary>Its language.</summary>
    public required Language Language { get; init; }

    /// <summary>The interpreter's version, as it said at the handshake.</summary>
    public required string Version { get; init; }

    /// <summary>Whether a run is in progress.</summary>
    public required bool Busy { get; init; }

    /// <summary>How often it was started anew since the sandbox was created; each time its state was lost.</summary>
    public required int Restarts { get; init; }
}
