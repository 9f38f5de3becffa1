using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Exporter;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace Cove.Server.Telemetry;

/// <summary>
/// Sends traces, metrics and logs over OTLP, as protobuf in HTTP. Nobody waits for it: what can't be sent is dropped. This is the only place that names
/// OpenTelemetry's types, so nothing of it is loaded where it is not asked for.
/// </summary>
internal sealed class Otlp : IDisposable
{
    private readonly Uri _endpoint;
    private readonly ResourceBuilder _resource;
    private readonly TracerProvider _traces;
    private readonly MeterProvider _metrics;

    /// <param name="endpoint">The collector's address without <c>/v1/…</c>. Headers come from <c>OTEL_EXPORTER_OTLP_HEADERS</c>.</param>
    /// <param name="version">The program's version.</param>
    public Otlp(Uri endpoint, string version)
    {
        _endpoint = endpoint;
        _resource = ResourceBuilder.CreateEmpty().AddService("cove", serviceVersion: version).AddTelemetrySdk().AddEnvironmentVariableDetector();
        _traces = Sdk.CreateTracerProviderBuilder().SetResourceBuilder(_resource).AddSource(Correlation.SourceName, Engine.EngineMeter.Name, Agent.Loop.AgentMeter.Name).AddOtlpExporter(options => Address(options, "traces")).Build();
        _metrics = Sdk.CreateMeterProviderBuilder().SetResourceBuilder(_resource).AddMeter(ServerMeter.Name).AddOtlpExporter(options => Address(options, "metrics")).Build();
    }

    /// <summary>Sends what is logged, from <paramref name="least"/> on; of the web server only what is wrong.</summary>
    public void AddTo(ILoggingBuilder logging, LogLevel least)
    {
        logging.AddFilter<OpenTelemetryLoggerProvider>((category, level) => level >= least && (level >= LogLevel.Warning || category?.StartsWith("Cove.", StringComparison.Ordinal) == true));
        logging.AddOpenTelemetry(options =>
        {
            options.SetResourceBuilder(_resource);
            options.IncludeFormattedMessage = true;
            options.AddProcessor(new CorrelationIds());
            options.AddOtlpExporter(exporter => Address(exporter, "logs"));
        });
    }

    /// <summary>Sends what has not been sent, for some seconds at most.</summary>
    public void Dispose()
    {
        _traces.Dispose();
        _metrics.Dispose();
    }

    private void Address(OtlpExporterOptions options, string signal)
    {
        options.Protocol = OtlpExportProtocol.HttpProtobuf;
        options.Endpoint = new Uri(_endpoint.AbsoluteUri.TrimEnd('/') + "/v1/" + signal);
    }

    /// <summary>Adds the correlation id, at the moment and in the flow of execution in which something is said.</summary>
    private sealed class CorrelationIds : BaseProcessor<LogRecord>
    {
        public override void OnEnd(LogRecord data)
        {
            if (Correlation.Current is { } id)
            {
                data.Attributes = [.. data.Attributes ?? [], new("correlation_id", id)];
            }
        }
    }
}
