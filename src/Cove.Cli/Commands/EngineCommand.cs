using System.CommandLine;

namespace Cove.Cli.Commands;

/// <summary><c>cove engine</c>: the background engine.</summary>
internal static class EngineCommand
{
    public static Command Create(TimeProvider time) => new("engine", "The background engine that runs the sandboxes.")
    {
        EngineStatusCommand.Create(time),
        EngineStopCommand.Create(time),
        EngineRunCommand.Create(time),
    };
}
