using System.CommandLine;
using Cove.Server.Access;

namespace Cove.Cli.Commands;

/// <summary><c>cove keys revoke</c>.</summary>
internal static class KeysRevokeCommand
{
    public static Command Create(TimeProvider time)
    {
        var id = new Argument<string>("id") { Description = "The key's id (cove keys list), or the key itself." };
        var json = new Option<bool>("--json") { Description = "Print one JSON object." };
        var state = new StateOptionSet();
        var command = new Command("revoke", "Revoke a key. A running server refuses it within two seconds.") { id, json };
        state.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            await using var store = await state.OpenExistingAsync(parsed, time);
            var key = await new KeyDesk(store.Keys, time).RevokeAsync(parsed.GetValue(id)!);
            Console.WriteLine(parsed.GetValue(json) ? KeyLines.Json(key, time.GetUtcNow()) : $"The key {key.Id} ('{key.Name}', project '{key.Project}') is revoked.");
            return ExitCodes.Ok;
        });
        return command;
    }
}
