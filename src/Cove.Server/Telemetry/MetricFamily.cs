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
    private readonly SortedDictionary<string, double> _values = new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, long[]> _buckets = new(StringComparer.Ordinal);
    private readonly string _kind = KindOf(instrument);

    public string Name { get; } = NameOf(instrument);

    public void Record(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = Labels(tags);
        lock (_lock)
        {
            if (!_values.ContainsKey(labels) && _values.Count >= MaximumSeries)
            {
                labels = Overflow;
            }

            _values[labels] = _kind == "gauge" && instrument.IsObservable ? value : _values.GetValueOrDefault(labels) + value;
            if (_kind == "histogram")
            {
                Bucket(labels)[Array.FindIndex(_bounds, bound => value <= bound) is >= 0 and var at ? at : _bounds.Length]++;
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
                _values.Clear();
            }
        }
    }

    public void Write(StringBuilder text)
    {
        lock (_lock)
        {
            text.Append("# HELP ").Append(Name).Append(' ').Append((instrument.Description ?? "").Replace("\\", "\\\\").Replace("\n", "\\n")).Append('\n');
            text.Append("# TYPE ").Append(Name).Append(' ').Append(_kind).Append('\n');
            foreach (var (labels, value) in _values)
            {
                if (_kind == "histogram")
                {
                    WriteHistogram(text, labels, value);
                }
                else
                {
                    text.Append(Name).Append(labels).Append(' ').Append(Number(value)).Append('\n');
                }
            }
        }
    }

    private void WriteHistogram(StringBuilder text, string labels, double sum)
    {
        long count = 0;
        var buckets = Bucket(labels);
        for (var i = 0; i <= _bounds.Length; i++)
        {
            count += buckets[i];
            var bound = i < _bounds.Length ? Number(_bounds[i]) : "+Inf";
            text.Append(Name).Append("_bucket").Append(labels.Length == 0 ? "{" : labels[..^1] + ",").Append("le=\"").Append(bound).Append("\"} ").Append(count).Append('\n');
        }

        text.Append(Name).Append("_sum").Append(labels).Append(' ').Append(Number(sum)).Append('\n');
        text.Append(Name).Append("_count").Append(labels).Append(' ').Append(count).Append('\n');
    }

    private long[] Bucket(string labels) => _buckets.TryGetValue(labels, out var found) ? found : _buckets[labels] = new long[_bounds.Length + 1];

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
}
