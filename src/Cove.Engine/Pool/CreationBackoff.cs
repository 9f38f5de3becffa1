namespace Cove.Engine.Pool;

/// <summary>How long to wait after failures in a row. Pure: 100 ms, doubling, at most 10 s.</summary>
internal struct CreationBackoff
{
    /// <summary>Failures in a row after which those who wait are told; fewer may be a hiccup.</summary>
    public const int SurfaceAfter = 3;

    private const int MaxDoublings = 7;

    public int Failures { get; private set; }

    public readonly bool IsFailing => Failures > 0;

    public readonly TimeSpan Delay => TimeSpan.FromMilliseconds(Math.Min(10_000, 100 << Math.Min(Failures - 1, MaxDoublings)));

    public void Failed() => Failures++;

    public void Succeeded() => Failures = 0;
}
