namespace Cove.Benchmarks;

/// <summary>Turns series into rows: percentiles, and each peer's ratio to Cove's figure for the same work.</summary>
internal static class Measures
{
    public static IReadOnlyList<Measure> From(IReadOnlyList<Series> all)
    {
        double? Median(string group, string name) => all.FirstOrDefault(s => s.Group == group && s.Name == name) is { Count: > 0 } series ? series.Percentile(0.5) : null;
        return [.. all.Where(s => s.Count > 0).Select(series => new Measure
        {
            Group = series.Group,
            Name = series.Name,
            P50Ms = Math.Round(series.Percentile(0.5), 3),
            P95Ms = Math.Round(series.Percentile(0.95), 3),
            P99Ms = Math.Round(series.Percentile(0.99), 3),
            N = series.Count,
            RatioToPool = IsPeer(series) ? Ratio(series, Median(series.Group, "create from the pool")) : null,
            Ratio = IsPeer(series) ? Ratio(series, Median(series.Group, "create without the pool")) : series.Name == "run 1+1" ? Ratio(series, Median("run", "bare echo (peer of run 1+1)")) : null,
        })];
    }

    private static bool IsPeer(Series series) => series.Name.Contains("python3 -c", StringComparison.Ordinal);

    private static double? Ratio(Series series, double? reference) => reference is > 0 ? Math.Round(series.Percentile(0.5) / reference.Value, 1) : null;
}
