using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Cove.Server.Telemetry;

/// <summary>One metric and its series.</summary>
internal sealed class MetricFamily(Instrument instrument)
{
    /// <summary>Series of one metric; what comes after them is counted together.</summary>
    internal const int MaximumSeries = 2000;

    private const string Overflow = "{overflow=\"other\"}";

    /// <summary>Upper bounds in seconds: from half of what a run on a warm kernel takes to the longest that is usual.</summary>
    private static readonly double[] _bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

    private readonly Lock _lock = new();
    private readonly Dictionary<KeyValuePair<string, object?>[], Series> _series = new(new SameTags());
    private readonly string _kind = KindOf(instrument);
    private Series? _overflow;

    public string Name { get; } = NameOf(instrument);

    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        lock (_lock)
        {
            var series = Find(tags);
            series.Value = _kind == "gauge" && instrument.IsObservable ? value : series.Value + value;
            if (series.Buckets is { } buckets)
            {
                buckets[Array.FindIndex(_bounds, bound => value <= bound) is >= 0 and var at ? at : _bounds.Length]++;
            }
        }
    }

    /// <summary>Before gauges are read anew: a series that is gone must not be reported as it was.</summary>
    public void ForgetGauges()
    {
        if (instrument.IsObservable)
        {
            lock (_lock)
            {
                _series.Clear();
                _overflow = null;
            }
        }
    }

    public void Write(StringBuilder text)
    {
        lock (_lock)
        {
            text.Append("# HELP ").Append(Name).Append(' ').Append((instrument.Description ?? "").Replace("\\", "\\\\").Replace("\n", "\\n")).Append('\n');
            text.Append("# TYPE ").Append(Name).Append(' ').Append(_kind).Append('\n');
            foreach (var series in _series.Values.Concat(_overflow is null ? [] : [_overflow]).OrderBy(s => s.Labels, StringComparer.Ordinal))
            {
                if (series.Buckets is { } buckets)
                {
                    WriteHistogram(text, series.Labels, series.Value, buckets);
                }
                else
                {
                    text.Append(Name).Append(series.Labels).Append(' ').Append(Number(series.Value)).Append('\n');
                }
            }
        }
    }

    private void WriteHistogram(StringBuilder text, string labels, double sum, long[] buckets)
    {
        long count = 0;
        for (var i = 0; i <= _bounds.Length; i++)
        {
            count += buckets[i];
            var bound = i < _bounds.Length ? Number(_bounds[i]) : "+Inf";
            text.Append(Name).Append("_bucket").Append(labels.Length == 0 ? "{" : labels[..^1] + ",").Append("le=\"").Append(bound).Append("\"} ").Append(count).Append('\n');
        }

        text.Append(Name).Append("_sum").Append(labels).Append(' ').Append(Number(sum)).Append('\n');
        text.Append(Name).Append("_count").Append(labels).Append(' ').Append(count).Append('\n');
    }

    private Series Find(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (_series.GetAlternateLookup<ReadOnlySpan<KeyValuePair<string, object?>>>().TryGetValue(tags, out var found))
        {
            return found;
        }

        return _series.Count >= MaximumSeries ? _overflow ??= New(Overflow) : _series[tags.ToArray()] = New(Labels(tags));
    }

    private Series New(string labels) => new(labels, _kind == "histogram" ? new long[_bounds.Length + 1] : null);

    private static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.Length == 0)
        {
            return "";
        }

        var text = new StringBuilder(64).Append('{');
        foreach (var (name, value) in tags)
        {
            text.Append(text.Length > 1 ? "," : "").Append(name.Replace('.', '_')).Append("=\"")
                .Append(Convert.ToString(value, CultureInfo.InvariantCulture)?.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n")).Append('"');
        }

        return text.Append('}').ToString();
    }

    private static string NameOf(Instrument instrument) => instrument.Name.Replace('.', '_') + instrument.Unit switch
    {
        "s" => "_seconds",
        "By" => "_bytes",
        _ => "",
    } + (KindOf(instrument) == "counter" ? "_total" : "");

    private static string KindOf(Instrument instrument)
    {
        var type = instrument.GetType().GetGenericTypeDefinition();
        return type == typeof(Histogram<>) ? "histogram" : type == typeof(Counter<>) || type == typeof(ObservableCounter<>) ? "counter" : "gauge";
    }

    private static string Number(double value) => value.ToString("R", CultureInfo.InvariantCulture);

    private sealed class Series(string labels, long[]? buckets)
    {
        public string Labels => labels;

        public long[]? Buckets => buckets;

        public double Value { get; set; }
    }

    /// <summary>Finds a series by its tags as they come, several times a request, without making text of them. An instrument gives each of its tags values of one type.</summary>
    private sealed class SameTags : IEqualityComparer<KeyValuePair<string, object?>[]>, IAlternateEqualityComparer<ReadOnlySpan<KeyValuePair<string, object?>>, KeyValuePair<string, object?>[]>
    {
        public KeyValuePair<string, object?>[] Create(ReadOnlySpan<KeyValuePair<string, object?>> alternate) => alternate.ToArray();

        public bool Equals(KeyValuePair<string, object?>[]? x, KeyValuePair<string, object?>[]? y) => Equals(x.AsSpan(), y!);

        public bool Equals(ReadOnlySpan<KeyValuePair<string, object?>> alternate, KeyValuePair<string, object?>[] other)
        {
            for (var i = 0; i < alternate.Length && i < other.Length; i++)
            {
                if (alternate[i].Key != other[i].Key || !Equals(alternate[i].Value, other[i].Value))
                {
                    return false;
                }
            }

            return alternate.Length == other.Length;
        }

        public int GetHashCode(KeyValuePair<string, object?>[] obj) => GetHashCode(obj.AsSpan());

        public int GetHashCode(ReadOnlySpan<KeyValuePair<string, object?>> alternate)
        {
            var hash = default(HashCode);
            foreach (var tag in alternate)
            {
                hash.Add(tag.Value);
            }

            return hash.ToHashCode();
        }
    }
}
