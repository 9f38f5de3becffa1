using System.CommandLine;
using System.Text.Json;
using Cove.Cli.Warm;
using Cove.Wire;

namespace Cove.Cli.Commands;

/// <summary><c>cove engine status</c>: every engine of this user.</summary>
internal static class EngineStatusCommand
{
    public static Command Create(TimeProvider time)
    {
        var json = new Option<bool>("--json") { Description = "Print one JSON object for each engine, a line each." };
        var command = new Command("status", "Show the engines that are running, and their log.") { json };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var (found, exitCode) = (0, ExitCodes.Ok);
            foreach (var socket in EnginePlace.Sockets(PrivateDirectory.Runtime()))
            {
                await using var engine = WarmEngine.Client(socket, build: null);
                try
                {
                    var status = await Promptly.AskAsync(socket, engine.GetEngineAsync, time, cancellationToken);
                    found++;
                    Console.WriteLine(parsed.GetValue(json) ? JsonSerializer.Serialize(status, CoveJson.Wire.EngineStatus) : Describe(status, socket));
                }
                catch (CoveException failure) when (failure.Error.Code == "engine_unreachable")
                {
                    // What a killed engine left behind.
                }
                catch (CoveException failure) when (failure.Error.Code == "engine_stuck")
                {
                    found++;
                    exitCode = Errors.Print(failure);
                }
            }

            if (found == 0 && !parsed.GetValue(json))
            {
                Console.WriteLine("No engine is running; the next cove run starts one.");
            }

            return exitCode;
        });
        return command;
    }

    private static string Describe(EngineStatus status, string socket)
    {
        var isolation = status.Isolation.Degraded.Count == 0 ? "" : ", without " + string.Join(", ", status.Isolation.Degraded);
        return $"""
            engine {status.Pid}{(status.Stopping ? " (ends when it has nothing to do)" : "")}
              isolation  {status.Isolation.Backend}, {status.Isolation.Privilege}{isolation}
              sandboxes  {status.Sandboxes}
              up         {Duration(status.Uptime)}, since {status.StartedAt:yyyy-MM-dd HH:mm:ss}Z
              idle       {Duration(status.Idle)} of {Duration(status.IdleLimit)}
              build      {status.Build}
              socket     {socket}
              log        {EngineLog.PathIn(PrivateDirectory.State())}
            """;
    }

    private static string Duration(TimeSpan span) =>
        span.TotalHours >= 1 ? $"{(int)span.TotalHours}h{span.Minutes:00}m" : span.TotalMinutes >= 1 ? $"{span.Minutes}m{span.Seconds:00}s" : $"{span.TotalSeconds:0.0}s";
}
