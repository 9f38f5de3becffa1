using System.Text.Json.Serialization;

namespace Cove.Benchmarks;

/// <summary>Everything one run of <c>cove bench</c> found out.</summary>
internal sealed record BenchReport
{
    public required Machine Machine { get; init; }

    public required string Privilege { get; init; }

    public required IReadOnlyList<Measure> Measures { get; init; }

    public required IReadOnlyList<BurstFinding> Bursts { get; init; }

    public required IReadOnlyList<DensityFinding> Densities { get; init; }

    public required LeakFinding Leaks { get; init; }

    /// <summary>Peers that were not measured, and why.</summary>
    public required IReadOnlyList<SkippedPeer> Skipped { get; init; }

    public required double ElapsedSeconds { get; init; }
}

/// <summary>One row. Ratios are medians divided by Cove's median for the same work, taken in the same run.</summary>
internal sealed record Measure
{
    public required string Group { get; init; }

    public required string Name { get; init; }

    public required double P50Ms { get; init; }

    public required double P95Ms { get; init; }

    public required double P99Ms { get; init; }

    public required int N { get; init; }

    /// <summary>For a peer: how many times longer than taking a sandbox from the pool.</summary>
    public double? RatioToPool { get; init; }

    /// <summary>For a peer: how many times longer than making a sandbox without the pool. For a run: how many times longer than the bare echo.</summary>
    public double? Ratio { get; init; }
}

/// <summary>Many sandboxes asked for at the same moment; times run from that moment.</summary>
internal sealed record BurstFinding(string Name, int Sandboxes, int Failed, double P50Ms, double P95Ms, double P99Ms, double AllMs);

/// <summary>
/// What an idle sandbox costs the host: the fall of MemAvailable (everything, the kernel's share included, but also whatever else the machine
/// does meanwhile), what its processes hold (PSS; without the kernel's share, untouched by others) and what its control group is charged.
/// </summary>
internal sealed record DensityFinding(string Template, int Sandboxes, double HostMegabytesEach, double? ProcessMegabytesEach, double? ChargedMegabytesEach);

/// <summary>What is left on the host after many sandboxes came and went, compared with before. Zero is the promise.</summary>
internal sealed record LeakFinding(int Sandboxes, int Processes, int Mounts, int ControlGroups, int Descriptors);

/// <summary>A peer that was not measured.</summary>
internal sealed record SkippedPeer(string Name, string Reason);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true, NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals)]
[JsonSerializable(typeof(BenchReport))]
internal sealed partial class BenchJson : JsonSerializerContext;
