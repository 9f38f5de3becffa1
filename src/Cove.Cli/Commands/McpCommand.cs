using System.CommandLine;
using Cove.Cli.Mcp;
using Cove.Cli.Running;
using Cove.Cli.Serving;
using Cove.Cli.Warm;
using Microsoft.Extensions.Logging;

namespace Cove.Cli.Commands;

/// <summary><c>cove mcp</c>: sandboxes as tools for a host that starts this command.</summary>
internal static class McpCommand
{
    public static Command Create(TimeProvider time)
    {
        var engine = new EngineOptionSet();
        var command = new Command("mcp", "Offer sandboxes to a host of the Model Context Protocol, over standard input and output.");
        engine.AddTo(command);
        command.SetAction((parsed, _) => RunAsync(engine.Choice(parsed), time));
        return command;
    }

    /// <summary>Standard output is the protocol's alone; whatever else there is to say goes to standard error.</summary>
    private static async Task<int> RunAsync(EngineChoice choice, TimeProvider time)
    {
        using var interrupts = new Interrupts(() => Task.CompletedTask);
        using var log = new LineLog(time);
        using var loggers = new LoggerFactory([log]);
        await using var connection = new HeldConnection(choice, time);

        // An engine that can't be had, or a key that is refused, is told at once, where whoever set this up is looking.
        await (await connection.GetAsync(interrupts.Token)).ListTemplatesAsync(interrupts.Token);
        await using var input = Console.OpenStandardInput();
        await using var output = Console.OpenStandardOutput();
        await new McpPipe(connection.GetAsync, ServerComposition.Version, loggers, time).RunAsync(input, output, interrupts.Token);
        return ExitCodes.Ok;
    }
}
