using System.CommandLine;
using Cove.Server.Access;

namespace Cove.Cli.Commands;

/// <summary><c>cove keys list</c>.</summary>
internal static class KeysListCommand
{
    public static Command Create(TimeProvider time)
    {
        var project = new Option<string?>("--project") { Description = "Only this project's. Default: all." };
        var json = new Option<bool>("--json") { Description = "Print one JSON object for each key, a line each." };
        var state = new StateOptionSet();
        var command = new Command("list", "List the keys, revoked and expired ones too; no secret is shown.") { project, json };
        state.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            await using var store = await state.OpenExistingAsync(parsed, time);
            var keys = await new KeyDesk(store.Keys, time).ListAsync(parsed.GetValue(project));
            var now = time.GetUtcNow();
            if (!parsed.GetValue(json))
            {
                Console.WriteLine(keys.Count == 0 ? "There are no keys; cove keys create makes one." : KeyLines.Head);
            }

            keys.ForEach(key => Console.WriteLine(parsed.GetValue(json) ? KeyLines.Json(key, now) : KeyLines.Text(key, now)));
            return ExitCodes.Ok;
        });
        return command;
    }
}
