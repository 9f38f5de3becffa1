using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cove.Server.Access;
using Cove.Server.State;

namespace Cove.Cli.Commands;

/// <summary><c>cove audit</c>: who did what on a server. Reads the database itself, whether the server runs or not.</summary>
internal static class AuditCommand
{
    private const int MaximumRows = 100_000;

    public static Command Create(TimeProvider time)
    {
        var project = new Option<string?>("--project") { Description = "Only this project's. Default: all, and what was let in nowhere." };
        var since = new Option<string?>("--since") { Description = "Only what is younger, for example 24h. Default: everything that is kept." };
        var limit = new Option<int>("--limit") { Description = $"How many at most, the newest; 1 to {MaximumRows}. Default: 100.", DefaultValueFactory = static _ => 100 };
        var json = new Option<bool>("--json") { Description = "Print one JSON object for each row, a line each." };
        var state = new StateOptionSet();
        var command = new Command("audit", "Who did what on a server, the newest last.") { project, since, limit, json };
        state.AddTo(command);
        command.SetAction(async (parsed, _) =>
        {
            var from = Since(parsed.GetValue(since), time);
            var most = parsed.GetValue(limit) is >= 1 and <= MaximumRows and var count ? count : throw AccessErrors.Invalid("limit", parsed.GetValue(limit).ToString(), $"1 to {MaximumRows}");
            await using var store = await state.OpenExistingAsync(parsed, time);
            foreach (var row in (await store.Audit.ListAsync(most, parsed.GetValue(project), from)).AsEnumerable().Reverse())
            {
                Console.WriteLine(parsed.GetValue(json) ? JsonSerializer.Serialize(row, AuditJson.Default.AuditRow) : Line(row));
            }

            return ExitCodes.Ok;
        });
        return command;
    }

    private static DateTimeOffset Since(string? text, TimeProvider time)
    {
        if (text is null)
        {
            return DateTimeOffset.UnixEpoch;
        }

        return Quantities.TryDuration(text, out var age, out var fix) && age < TimeSpan.FromDays(36_500) ? time.GetUtcNow() - age : throw AccessErrors.Invalid("since", text, fix.Length > 0 ? fix : "at most 36500d");
    }

    private static string Line(AuditRow row) => string.Join("  ",
        $"{row.At:yyyy-MM-dd HH:mm:ss}Z", $"{row.Project ?? "-",-12}", $"{row.Key ?? "-",-8}", $"{row.Remote ?? "-",-15}", row.Status, $"{row.Operation,-18}", row.Sandbox ?? "-", row.Run ?? "-", row.Outcome ?? "-", row.Correlation ?? "-");
}

/// <summary>Audit rows as JSON.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AuditRow))]
internal sealed partial class AuditJson : JsonSerializerContext;
