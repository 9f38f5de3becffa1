namespace Cove.Benchmarks;

/// <summary>The timings of one measure, in milliseconds.</summary>
internal sealed class Series(string group, string name)
{
    private readonly List<double> _values = [];

    public string Group { get; } = group;

    public string Name { get; } = name;

    public int Count => _values.Count;

    public void Add(TimeSpan elapsed) => _values.Add(elapsed.TotalMilliseconds);

    public void Clear() => _values.Clear();

    /// <summary>The smallest value that <paramref name="share"/> of all values do not exceed (nearest rank).</summary>
    public double Percentile(double share) => Percentile(_values, share);

    internal static double Percentile(IReadOnlyCollection<double> values, double share)
    {
        if (values.Count == 0)
        {
            return double.NaN;
        }

        var sorted = values.Order().ToList();
        return sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Count) - 1, 0, sorted.Count - 1)];
    }
}
