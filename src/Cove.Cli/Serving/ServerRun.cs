using Cove.Server.Hosting;
using Cove.Server.Logs;
using Cove.Server.Settings;
using Microsoft.Extensions.Logging;

namespace Cove.Cli.Serving;

/// <summary>One server from its start to its end: the lock, the log, the engine, the door; and the way back.</summary>
internal sealed class ServerRun(ServerOptions options, TimeProvider time)
{
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        using var signals = new StopSignals();
        using var starting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, signals.First);
        using var data = DataDirectory.Take(options.DataDirectory);
        await using var log = new ServerLog(Console.OpenStandardOutput(), Format(), options.LogLevel, time);
        using var loggers = new LoggerFactory([log]);
        try
        {
            await using var engine = await ServerComposition.StartEngineAsync(options, loggers, time, starting.Token);
            await using var server = await CoveServer.StartAsync(ServerComposition.Parts(engine, loggers, time), options, starting.Token);
            data.GiveUpRoot(engine, server);
            server.Open();
            await Greeting.WriteAsync(server.Addresses, options);
            await signals.WaitAsync(cancellationToken);
            await server.DrainAsync(signals.Name, signals.Second);
        }
        catch (OperationCanceledException) when (starting.IsCancellationRequested)
        {
            // Told to stop before it had begun.
        }

        return ExitCodes.Ok;
    }

    private ILogFormat Format() => options.LogFormat == LogFormat.Json || (options.LogFormat == LogFormat.Auto && Console.IsOutputRedirected)
        ? new JsonLines(options.GoogleProject)
        : new TextLines();
}
