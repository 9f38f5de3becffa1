using Cove.Server.Settings;
using Cove.Server.Telemetry;
using Microsoft.Extensions.Logging;

namespace Cove.Server.Logs;

/// <summary>Where a server's messages go: to standard output, and to OpenTelemetry when it is asked for; and everything else that is exported.</summary>
internal sealed class ServerLoggers : IAsyncDisposable
{
    private readonly ServerLog _log;
    private readonly Otlp? _otlp;

    private ServerLoggers(ServerLog log, Otlp? otlp, ILoggerFactory factory) => (_log, _otlp, Factory) = (log, otlp, factory);

    public ILoggerFactory Factory { get; }

    public static ServerLoggers Start(ServerOptions options, Stream output, bool isTerminal, string version, TimeProvider time)
    {
        var isJson = options.LogFormat == LogFormat.Json || (options.LogFormat == LogFormat.Auto && !isTerminal);
        var log = new ServerLog(output, isJson ? new JsonLines(options.GoogleProject) : new TextLines(), options.LogLevel, time);
        if (options.Otlp is null)
        {
            return new ServerLoggers(log, null, new LoggerFactory([log]));
        }

        var otlp = new Otlp(options.Otlp, version);
        var factory = LoggerFactory.Create(logging =>
        {
            logging.SetMinimumLevel(LogLevel.Trace); // each destination has a level of its own
            logging.AddProvider(log);
            otlp.AddTo(logging, options.LogLevel);
        });
        return new ServerLoggers(log, otlp, factory);
    }

    public async ValueTask DisposeAsync()
    {
        Factory.Dispose();
        _otlp?.Dispose();
        await _log.DisposeAsync();
    }
}
