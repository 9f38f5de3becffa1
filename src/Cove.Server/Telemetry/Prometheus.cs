using System.Diagnostics.Metrics;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Cove.Server.Telemetry;

/// <summary>
/// The metrics of this server and its engine in Prometheus' text format 0.0.4. Series are as many as labels' values multiply to, and those are route
/// patterns, statuses and the like; should one instrument ever exceed its bound, further series are counted under <c>other</c>.
/// </summary>
internal sealed class Prometheus : IDisposable
{
    private const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, MetricFamily> _families = new(StringComparer.Ordinal);
    private readonly MeterListener _listener = new();
    private readonly object[] _scopes;

    /// <param name="scopes">Whose meters count besides those that are everybody's: two servers in one process are told apart by it.</param>
    public Prometheus(params object[] scopes)
    {
        _scopes = scopes;
        _listener.InstrumentPublished = OnPublished;
        _listener.SetMeasurementEventCallback<long>(static (instrument, value, tags, state) => ((MetricFamily)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<int>(static (instrument, value, tags, state) => ((MetricFamily)state!).Record(value, tags));
        _listener.SetMeasurementEventCallback<double>(static (instrument, value, tags, state) => ((MetricFamily)state!).Record(value, tags));
        _listener.Start();
    }

    public async Task WriteAsync(HttpContext context)
    {
        var body = Encoding.UTF8.GetBytes(Read());
        context.Response.ContentType = ContentType;
        context.Response.ContentLength = body.Length;
        context.Response.Headers.CacheControl = "no-store";
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
        }
    }

    /// <summary>All metrics as they are now.</summary>
    public string Read()
    {
        lock (_lock)
        {
            foreach (var family in _families.Values)
            {
                family.ForgetGauges();
            }

            _listener.RecordObservableInstruments();
            var text = new StringBuilder(8192);
            foreach (var family in _families.Values)
            {
                family.Write(text);
            }

            return text.ToString();
        }
    }

    public void Dispose() => _listener.Dispose();

    private void OnPublished(Instrument instrument, MeterListener listener)
    {
        if (instrument.Meter.Name != ServerMeter.Name || (instrument.Meter.Scope is { } scope && !_scopes.Contains(scope)))
        {
            return;
        }

        lock (_lock)
        {
            var family = new MetricFamily(instrument);
            listener.EnableMeasurementEvents(instrument, _families.TryAdd(family.Name, family) ? family : _families[family.Name]);
        }
    }
}
