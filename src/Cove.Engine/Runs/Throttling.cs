using Cove.Engine.Isolation;

namespace Cove.Engine.Runs;

/// <summary>What the processor limit did to one run, by the host's own counters. Pure.</summary>
internal static class Throttling
{
    /// <summary>How often the kernel hands out processor time anew: within each such period a group that has used its share stands still.</summary>
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);

    /// <summary>The time for which the sandbox was kept from running, added up over the processors it wanted; null where nothing counts it.</summary>
    public static TimeSpan? Time(CellUsage before, CellUsage after) =>
        after.ThrottledNanoseconds is { } now ? TimeSpan.FromTicks(Math.Max(0, now - (before.ThrottledNanoseconds ?? 0)) / TimeSpan.NanosecondsPerTick) : null;

    /// <summary>
    /// Whether the limit held the run back for a substantial share of its wall time: in at least half of its periods, and for at least half
    /// as long as it took. The time alone would not do: it is added up over processors, so that little on each of many makes much.
    /// </summary>
    public static bool HeldBack(CellUsage before, CellUsage after, TimeSpan wall) =>
        Time(before, after) is { } time && time >= wall / 2
        && ((after.ThrottledPeriods ?? 0) - (before.ThrottledPeriods ?? 0)) * Period >= wall / 2;
}
