using System.CommandLine;
using System.Runtime.InteropServices;
using Cove.Cli.Warm;
using Cove.Engine;
using Cove.Server.Hosting;
using Microsoft.Extensions.Logging;

namespace Cove.Cli.Commands;

/// <summary><c>cove engine run</c>: the engine itself, in the foreground (or as the background engine, which <c>cove run</c> starts like this).</summary>
internal static class EngineRunCommand
{
    private static readonly TimeSpan DefaultIdle = TimeSpan.FromMinutes(10);

    /// <summary>How long to wait for an engine that is just leaving; its sandboxes are being taken down.</summary>
    private static readonly TimeSpan LockPatience = TimeSpan.FromSeconds(20);

    public static Command Create(TimeProvider time)
    {
        var engine = new EngineOptionSet();
        var background = new Option<bool>("--background") { Hidden = true };
        var command = new Command("run", "Run the engine in the foreground until Ctrl-C or its idle limit.") { background };
        engine.AddTo(command);
        command.SetAction((parsed, cancellationToken) => RunAsync(engine.Choice(parsed), parsed.GetValue(background), time, cancellationToken));
        return command;
    }

    private static async Task<int> RunAsync(EngineChoice choice, bool background, TimeProvider time, CancellationToken cancellationToken)
    {
        var place = EnginePlace.For(choice.AllowDegraded);
        await using var life = await LifeAsync(place, time, cancellationToken);
        using var ended = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => End(context, ended));
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => End(context, ended));
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => End(context, ended));

        using var log = new LineLog(time);
        using var loggers = new LoggerFactory([log]);
        var engine = await EngineComposition.StartAsync(choice, loggers, time, ended.Token);
        await using (engine)
        {
            var logPath = EngineLog.PathIn(PrivateDirectory.State());
            await using var host = await EngineHost.StartAsync(
                engine,
                new EngineHostOptions
                {
                    SocketPath = place.Socket,
                    Build = place.Build,
                    Isolation = engine.Tier,
                    IdleLimit = choice.Idle ?? DefaultIdle,
                    OwnUser = Libc.EffectiveUser(),
                    OnTick = background ? () => EngineLog.Bound(logPath) : null,
                    Log = log,
                    Time = time,
                },
                ended.Token);
            if (LocalEngine.DropPrivileges(engine) is { } user)
            {
                host.NoteUser(user);
            }

            await host.RunAsync(ended.Token);
            await host.EndAsync(engine);
        }

        return ExitCodes.Ok;
    }

    private static async Task<FileStream> LifeAsync(EnginePlace place, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            return await FileLock.TakeAsync(place.LifeLock, LockPatience, time, cancellationToken);
        }
        catch (CoveException failure)
        {
            throw Errors.Host("engine_running", "An engine of this build is running already.", "Use it, or stop it first: cove engine stop", failure);
        }
    }

    private static void End(PosixSignalContext context, CancellationTokenSource ended)
    {
        context.Cancel = true;
        ended.Cancel();
    }
}
