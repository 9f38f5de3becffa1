using System.CommandLine;
using Cove.Cli.Warm;

namespace Cove.Cli.Commands;

/// <summary><c>cove engine stop</c>: ends every engine of this user, with its sandboxes.</summary>
internal static class EngineStopCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    public static Command Create(TimeProvider time)
    {
        var whenIdle = new Option<bool>("--when-idle") { Description = "Let sandboxes and runs end first; don't wait for that." };
        var command = new Command("stop", "Stop the background engines and their sandboxes.") { whenIdle };
        command.SetAction((parsed, cancellationToken) => StopAsync(parsed.GetValue(whenIdle), time, cancellationToken));
        return command;
    }

    private static async Task<int> StopAsync(bool whenIdle, TimeProvider time, CancellationToken cancellationToken)
    {
        var (stopped, exitCode) = (0, ExitCodes.Ok);
        foreach (var socket in EnginePlace.Sockets(PrivateDirectory.Runtime()))
        {
            await using var engine = WarmEngine.Client(socket, build: null);
            try
            {
                var pid = (await Promptly.AskAsync(socket, engine.GetEngineAsync, time, cancellationToken)).Pid;
                await Promptly.AskAsync(socket, limited => engine.StopEngineAsync(whenIdle, limited), time, cancellationToken);
                stopped++;
                if (!whenIdle)
                {
                    await GoneAsync(Path.ChangeExtension(socket, ".lock"), pid, time, cancellationToken);
                    EnginePlace.Forget(socket); // one that gave up root could not remove its own
                }
            }
            catch (CoveException failure) when (failure.Error.Code == "engine_unreachable")
            {
                EnginePlace.Forget(socket); // what a killed engine left behind
            }
            catch (CoveException failure) when (failure.Error.Code == "engine_stuck")
            {
                exitCode = Errors.Print(failure);
            }
        }

        Console.WriteLine(stopped switch
        {
            0 when exitCode != ExitCodes.Ok => "No engine was stopped.",
            0 => "No engine is running.",
            _ when whenIdle => "The engine ends when it has nothing to do.",
            1 => "The engine has stopped.",
            _ => $"{stopped} engines have stopped.",
        });
        return exitCode;
    }

    /// <summary>The engine holds its lock until its last sandbox is taken down.</summary>
    private static async Task GoneAsync(string lifeLock, int pid, TimeProvider time, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        while (true)
        {
            await using var free = FileLock.TryTake(lifeLock);
            if (free is not null)
            {
                return;
            }

            if (time.GetElapsedTime(start) > Patience)
            {
                throw Errors.Host("engine_stop", $"The engine (process {pid}) has not ended within {Patience.TotalSeconds:0} s.", $"Look at its log (cove engine status), then end it: kill {pid}");
            }

            await Task.Delay(Pause, time, cancellationToken);
        }
    }
}
