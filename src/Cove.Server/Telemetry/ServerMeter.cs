using System.Diagnostics.Metrics;

namespace Cove.Server.Telemetry;

/// <summary>What a server counts about its requests. The engine counts runs, sandboxes and pools under the same name.</summary>
internal sealed class ServerMeter : IDisposable
{
    public const string Name = "Cove";

    private readonly Meter _meter;
    private readonly Counter<long> _requests;
    private readonly Histogram<double> _durations;
    private readonly UpDownCounter<long> _active;
    private readonly Counter<long> _authenticationFailures;
    private readonly Counter<long> _quotaRefusals;

    public ServerMeter()
    {
        _meter = new Meter(new MeterOptions(Name) { Scope = this });
        _requests = _meter.CreateCounter<long>("cove.http.requests", "{request}", "Requests answered, by method, route pattern and status.");
        _durations = _meter.CreateHistogram<double>("cove.http.request.duration", "s", "Time from the request's head to the end of its answer, by route pattern.");
        _active = _meter.CreateUpDownCounter<long>("cove.http.active_requests", "{request}", "Requests in progress.");
        _authenticationFailures = _meter.CreateCounter<long>("cove.auth.failures", "{request}", "Requests refused for want of a key that allows them, by reason.");
        _quotaRefusals = _meter.CreateCounter<long>("cove.quota.refusals", "{request}", "Requests refused by a quota or rate limit, by its name.");
    }

    public void RequestStarted() => _active.Add(1);

    public void RequestEnded(string method, string route, int status, TimeSpan duration)
    {
        _active.Add(-1);
        _requests.Add(1, new("method", method), new("route", route), new("status", status));
        _durations.Record(duration.TotalSeconds, new KeyValuePair<string, object?>("route", route));
    }

    /// <summary>Counts a refusal for want of a key. <paramref name="reason"/> is one of a few fixed words, never what a caller sent.</summary>
    public void AuthenticationFailed(string reason) => _authenticationFailures.Add(1, new KeyValuePair<string, object?>("reason", reason));

    /// <summary>Counts a refusal by a quota. <paramref name="quota"/> is the quota's name.</summary>
    public void QuotaRefused(string quota) => _quotaRefusals.Add(1, new KeyValuePair<string, object?>("quota", quota));

    public void Dispose() => _meter.Dispose();
}
