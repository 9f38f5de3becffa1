using System.Diagnostics;

namespace Cove.Server.Telemetry;

/// <summary>Sees to it that every request and run has a trace and a span id for the log, whether or not traces are exported anywhere.</summary>
internal sealed class TraceIds : IDisposable
{
    private readonly ActivityListener _listener = new()
    {
        ShouldListenTo = static source => source.Name is Correlation.SourceName or Engine.EngineMeter.Name,

        // Ids and nothing more; an exporter asks for the rest itself.
        Sample = static (ref _) => ActivitySamplingResult.PropagationData,
    };

    public TraceIds() => ActivitySource.AddActivityListener(_listener);

    public void Dispose() => _listener.Dispose();
}
