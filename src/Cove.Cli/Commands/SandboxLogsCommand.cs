using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Cove.Cli.Running;
using Cove.Cli.Warm;
using Cove.Wire;

namespace Cove.Cli.Commands;

/// <summary><c>cove sandbox logs</c>: what happened in a sandbox, or what one run wrote.</summary>
internal static class SandboxLogsCommand
{
    public static Command Create(TimeProvider time)
    {
        var id = SandboxCommand.Id();
        var run = new Argument<string?>("run") { Description = "A run: its output is shown again, and followed while it goes on.", Arity = ArgumentArity.ZeroOrOne };
        var follow = new Option<bool>("--follow") { Description = "Go on as things happen, until the sandbox ends." };
        var json = new Option<bool>("--json") { Description = "Print one JSON object for each event, a line each." };
        var engine = new EngineOptionSet();
        var command = new Command("logs", "Show what happened in a sandbox, or what one of its runs wrote.") { id, run, follow, json };
        engine.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var cove = await Connection.OpenAsync(engine.Choice(parsed), time, cancellationToken);
            using var interrupts = new Interrupts(() => Task.CompletedTask);
            try
            {
                return parsed.GetValue(run) is { } text
                    ? await ShowRunAsync(cove.ReadRunAsync(parsed.GetValue(id), Run(text), 0, interrupts.Token), parsed.GetValue(json))
                    : await ShowEventsAsync(cove.ReadSandboxEventsAsync(parsed.GetValue(id), 0, parsed.GetValue(follow), interrupts.Token), parsed.GetValue(json));
            }
            catch (OperationCanceledException)
            {
                return ExitCodes.Interrupted;
            }
        });
        return command;
    }

    private static RunId Run(string text) => RunId.TryParse(text, out var id)
        ? id
        : throw Errors.Usage("run_id", $"'{Screen.Plain(text)}' is no run id.", "Give one that 'cove sandbox logs ID' shows.");

    private static async Task<int> ShowRunAsync(IAsyncEnumerable<RunEvent> events, bool json)
    {
        if (!json)
        {
            await new RunPrinter(new Screen()).PrintAsync(events);
            return ExitCodes.Ok; // showing it worked, whatever it was
        }

        await foreach (var next in events)
        {
            Console.WriteLine(JsonSerializer.Serialize(next, CoveJson.Wire.RunEvent));
        }

        return ExitCodes.Ok;
    }

    private static async Task<int> ShowEventsAsync(IAsyncEnumerable<SandboxEvent> events, bool json)
    {
        await foreach (var next in events)
        {
            Console.WriteLine(json ? JsonSerializer.Serialize(next, CoveJson.Wire.SandboxEvent) : Line(next));
        }

        return ExitCodes.Ok;
    }

    private static string Line(SandboxEvent next)
    {
        var more = string.Join(' ', new[] { next.Run?.Value, next.Kernel, Word(next.Outcome), Word(next.EndReason) }.Where(word => word is not null));
        return string.Create(CultureInfo.InvariantCulture, $"{next.Time:yyyy-MM-dd HH:mm:ss.fff}Z  {next.Type,-18}{Screen.Plain(more)}").TrimEnd();
    }

    private static string? Word<T>(T? value)
        where T : struct, Enum => value is { } given ? JsonNamingPolicy.SnakeCaseLower.ConvertName(given.ToString()) : null;
}
