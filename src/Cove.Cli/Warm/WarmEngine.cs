using Cove.Client;

namespace Cove.Cli.Warm;

/// <summary>Finds this user's background engine, and starts it when there is none.</summary>
internal static class WarmEngine
{
    /// <summary>A cold start loads pandas and matplotlib once; a busy machine takes its time.</summary>
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    public static async Task<CoveClient> ConnectAsync(EngineChoice choice, TimeProvider time, CancellationToken cancellationToken)
    {
        var place = EnginePlace.For(choice.AllowDegraded);
        var client = Client(place.Socket, place.Build);
        try
        {
            if (!await AnswersAsync(client, place.Socket, time, cancellationToken))
            {
                await using var starting = await FileLock.TakeAsync(place.StartLock, StartPatience, time, cancellationToken);
                if (!await AnswersAsync(client, place.Socket, time, cancellationToken))
                {
                    await StartAsync(place, choice, client, time, cancellationToken);
                    await RetireOthersAsync(place, time, cancellationToken);
                }
            }

            return client;
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    /// <summary>A client for the engine behind a socket, whatever its build when none is given.</summary>
    public static CoveClient Client(string socket, string? build) =>
        new(new CoveClientOptions { UnixSocket = socket, Build = build, AcceptedUsers = EnginePlace.AcceptedUsers(socket) });

    private static async Task<bool> AnswersAsync(CoveClient client, string socket, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            await Promptly.AskAsync(socket, client.PingAsync, time, cancellationToken);
            return true;
        }
        catch (CoveException failure) when (failure.Error.Code is "engine_unreachable" or "http_503") // gone, or leaving
        {
            return false;
        }
    }

    private static async Task StartAsync(EnginePlace place, EngineChoice choice, CoveClient client, TimeProvider time, CancellationToken cancellationToken)
    {
        var log = EngineLog.PathIn(PrivateDirectory.State());
        EngineLog.Bound(log);
        var logged = File.Exists(log) ? new FileInfo(log).Length : 0;
        var start = time.GetTimestamp();
        var pid = DetachedProcess.Start(Program(), choice.RunArguments(), ChosenEnvironment(), log);
        while (!await AnswersAsync(client, place.Socket, time, cancellationToken))
        {
            // An engine that is just leaving still holds its lock; the new one waits for it, and so do we.
            if (DetachedProcess.HasEnded(pid))
            {
                throw Errors.Host("engine_start", "The engine did not start:\n" + EngineLog.Tail(log, logged), $"The whole log is {log}; cove doctor says what this machine lacks.");
            }

            if (time.GetElapsedTime(start) > StartPatience)
            {
                throw Errors.Host("engine_start", $"The engine (process {pid}) has not answered for {StartPatience.TotalSeconds:0} s:\n" + EngineLog.Tail(log, logged), $"Look at {log}, end the process (kill {pid}), and try again.");
            }

            await Task.Delay(Pause, time, cancellationToken);
        }
    }

    /// <summary>Engines of other builds end as soon as they have nothing to do; whoever still uses one is left in peace.</summary>
    private static async Task RetireOthersAsync(EnginePlace place, TimeProvider time, CancellationToken cancellationToken)
    {
        foreach (var socket in EnginePlace.Known(place.Directory))
        {
            if (Path.GetFileName(socket).StartsWith("engine-" + place.Build, StringComparison.Ordinal) || EnginePlace.Forget(socket))
            {
                continue;
            }

            await using var other = Client(socket, build: null);
            try
            {
                await Promptly.AskAsync(socket, limited => other.StopEngineAsync(whenIdle: true, limited), time, cancellationToken);
            }
            catch (CoveException)
            {
                // It is about to end or to begin, or answers as no engine of ours would: not ours to touch.
            }
        }
    }

    private static string Program() => Environment.ProcessPath ?? throw Errors.Host("engine_start", "This program's own path is unknown.", "Start cove by its path.");

    /// <summary>The engine is nobody's child: it gets the paths it needs and nothing else of the environment (tokens, keys, proxies) it was started from.</summary>
    private static Dictionary<string, string> ChosenEnvironment()
    {
        // DOTNET_ROOT is where the runtime is found that runs this very program.
        string[] names = ["PATH", "HOME", "LANG", "XDG_RUNTIME_DIR", "XDG_STATE_HOME", "DOTNET_ROOT"];
        var chosen = new Dictionary<string, string>();
        foreach (var name in names)
        {
            if (Environment.GetEnvironmentVariable(name) is { } value)
            {
                chosen[name] = value;
            }
        }

        return chosen;
    }
}
