using Cove.Engine;

namespace Cove.Benchmarks;

/// <summary>What to measure and how often.</summary>
internal sealed record BenchOptions
{
    public required LocalEngineOptions Engine { get; init; }

    /// <summary>Rounds of the interleaved part; every measure is taken in every round. Default 30, about four minutes; 6 when quick.</summary>
    public int Rounds { get; init; } = 30;

    /// <summary>Sandboxes of the burst. Default 100.</summary>
    public int Burst { get; init; } = 100;

    /// <summary>Idle sandboxes for the density. Default 100.</summary>
    public int Density { get; init; } = 100;

    /// <summary>Sandboxes that come and go before the leak check. Default 200.</summary>
    public int Leaks { get; init; } = 200;
}
