using System.CommandLine;
using System.Text.Json;
using Cove.Cli.Running;
using Cove.Cli.Warm;
using Cove.Wire;

namespace Cove.Cli.Commands;

/// <summary><c>cove sandbox list</c>.</summary>
internal static class SandboxListCommand
{
    private const int PageSize = 1000;

    public static Command Create(TimeProvider time)
    {
        var all = new Option<bool>("--all") { Description = "Also those that have ended, with the reason, as far as they are remembered." };
        var json = new Option<bool>("--json") { Description = "Print one JSON object for each, a line each." };
        var engine = new EngineOptionSet();
        var command = new Command("list", "List sandboxes, oldest first.") { all, json };
        engine.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var cove = await Connection.OpenAsync(engine.Choice(parsed), time, cancellationToken);
            var filter = new SandboxFilter { States = parsed.GetValue(all) ? Enum.GetValues<SandboxState>() : null, Limit = PageSize };
            do
            {
                var page = await cove.ListSandboxesAsync(filter, cancellationToken);
                foreach (var sandbox in page.Sandboxes)
                {
                    Console.WriteLine(parsed.GetValue(json) ? JsonSerializer.Serialize(sandbox, CoveJson.Wire.SandboxInfo) : Line(sandbox));
                }

                filter = filter with { Cursor = page.NextCursor };
            }
            while (filter.Cursor is not null);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static string Line(SandboxInfo sandbox)
    {
        // Labels come from whoever made it, on a server perhaps not the one who reads this.
        var labels = sandbox.Metadata is { Count: > 0 } given ? Screen.Plain(string.Join(' ', given.Select(pair => $"{pair.Key}={pair.Value}"))) : "";
        var state = sandbox.EndReason is { } reason ? $"{Word(sandbox.State)} ({Word(reason)})" : Word(sandbox.State);
        return $"{sandbox.Id.Value,-22}{state,-26}{sandbox.Template,-14}{sandbox.CreatedAt:yyyy-MM-dd HH:mm:ss}Z  until {sandbox.ExpiresAt:yyyy-MM-dd HH:mm:ss}Z  {labels}".TrimEnd();
    }

    private static string Word<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString()).Replace('_', ' ');
}
