using Cove.Server.Access;
using Cove.Server.Access.Tenancy;
using Cove.Server.Hosting;
using Cove.Server.Logs;
using Cove.Server.Settings;

namespace Cove.Cli.Serving;

/// <summary>One server from its start to its end: the lock, the log, the engine, the door; and the way back.</summary>
internal sealed class ServerRun(ServerOptions options, TimeProvider time)
{
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        using var signals = new StopSignals();
        using var starting = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, signals.First);
        using var data = DataDirectory.Take(options.DataDirectory);
        await using var loggers = ServerLoggers.Start(options, Console.OpenStandardOutput(), isTerminal: !Console.IsOutputRedirected, ServerComposition.Version, time);
        try
        {
            await using var state = await ServerComposition.OpenStateAsync(options, loggers.Factory, time);
            await AccessControl.CheckAsync(state, ServerComposition.Access(options));
            var ends = new ToldEnds();
            await using var engine = await ServerComposition.StartEngineAsync(options, loggers.Factory, ends, time, starting.Token);
            await using var access = await ServerComposition.StartAccessAsync(engine, state, options, ends, loggers.Factory);
            await using var server = await CoveServer.StartAsync(ServerComposition.Parts(engine, access, state, loggers.Factory, time), options, starting.Token);
            data.GiveUpRoot(engine, server);
            server.Open();
            await Greeting.WriteAsync(server.Addresses, options, await access.WelcomeAsync());
            await signals.WaitAsync(cancellationToken);
            await server.DrainAsync(signals.Name, signals.Second);
        }
        catch (OperationCanceledException) when (starting.IsCancellationRequested)
        {
            // Told to stop before it had begun.
        }

        return ExitCodes.Ok;
    }
}
