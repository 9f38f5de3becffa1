using System.Text.Json.Serialization;

namespace Cove.Engine.Doctor;

/// <summary>What this host offers and what results from it.</summary>
internal sealed record DoctorReport
{
    /// <summary>Sandboxes run here with every protection that was asked for.</summary>
    public required bool Ready { get; init; }

    /// <summary>The result in a sentence.</summary>
    public required string Summary { get; init; }

    public required IsolationFinding Isolation { get; init; }

    public required IReadOnlyList<Finding> Findings { get; init; }
}

/// <summary>The isolation that was achieved by really starting it and running a command in a sandbox's boundary.</summary>
internal sealed record IsolationFinding
{
    /// <summary><c>root</c>, <c>delegated</c>, <c>bare</c>, or <c>none</c> when no sandbox can be started.</summary>
    public required string Privilege { get; init; }

    /// <summary>Protections that are missing, allowed or not.</summary>
    public IReadOnlyList<string> Missing { get; init; } = [];

    /// <summary>Those of them that were allowed to be missing.</summary>
    public IReadOnlyList<string> Allowed { get; init; } = [];

    /// <summary>Whether a command ran in a cell.</summary>
    public bool CommandRan { get; init; }

    /// <summary>How long it took from nothing to the command's end, milliseconds; the start of the launcher included.</summary>
    public double? ElapsedMs { get; init; }

    /// <summary>What went wrong, when no sandbox can be started.</summary>
    public string? Error { get; init; }
}

/// <summary>One thing that was looked at.</summary>
internal sealed record Finding
{
    public required string Area { get; init; }

    public required string Name { get; init; }

    public required FindingState State { get; init; }

    /// <summary>What was found.</summary>
    public required string Found { get; init; }

    /// <summary>What is lost without it; null when nothing is.</summary>
    public string? Lost { get; init; }

    /// <summary>The one command that fixes it; null when there is nothing to fix or no command could.</summary>
    public string? Fix { get; init; }
}

/// <summary>What a finding means.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<FindingState>))]
internal enum FindingState
{
    /// <summary>Present.</summary>
    [JsonStringEnumMemberName("ok")]
    Ok,

    /// <summary>Worth knowing; nothing depends on it.</summary>
    [JsonStringEnumMemberName("information")]
    Information,

    /// <summary>Missing, and something optional is lost.</summary>
    [JsonStringEnumMemberName("optional")]
    Optional,

    /// <summary>Missing, and a promised protection (or everything) is lost.</summary>
    [JsonStringEnumMemberName("missing")]
    Missing,
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(DoctorReport))]
internal sealed partial class DoctorJson : JsonSerializerContext;
