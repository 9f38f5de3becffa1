using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Cove.Cli.Agents;

/// <summary>What a tool answered, as a person reads it: the JSON of runs and of failures by its fields, and everything else as it is. Not yet fit for a terminal.</summary>
internal static class ResultText
{
    public static string Of(string text)
    {
        var shown = new StringBuilder();
        foreach (var line in text.Split('\n'))
        {
            // A failure begins with an object on a line of its own; what follows it may be the result of a run.
            shown.Append(shown.Length > 0 ? "\n" : "").Append(Line(line));
        }

        return shown.ToString();
    }

    private static string Line(string line)
    {
        if (!line.StartsWith('{'))
        {
            return line;
        }

        try
        {
            using var document = JsonDocument.Parse(line);
            return document.RootElement switch
            {
                var run when Text(run, "stdout") is { } stdout && Text(run, "stderr") is { } stderr => Run(run, stdout, stderr),
                var error when Text(error, "errorCategory") is { } category && Text(error, "context") is { } context =>
                    $"{category}: {context}{(Text(error, "remediation") is { Length: > 0 } remedy ? "\n" + remedy : "")}",
                _ => line,
            };
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException)
        {
            return line;
        }
    }

    private static string Run(JsonElement run, string stdout, string stderr)
    {
        var shown = new StringBuilder();
        foreach (var property in run.EnumerateObject().Where(property => property.Name is not ("stdout" or "stderr" or "exit_code" or "execution_time")))
        {
            shown.Append(CultureInfo.InvariantCulture, $"{property.Name}: {(property.Value.ValueKind is JsonValueKind.String ? property.Value.GetString() : property.Value.GetRawText())}\n");
        }

        var end = new[] { Number(run, "exit_code", "exit code ", ""), Number(run, "execution_time", "", " s") }.OfType<string>();
        return $"{Block("", stdout)}{Block("stderr:\n", stderr)}{shown}{string.Join(", ", end)}".TrimEnd('\n');
    }

    private static string Block(string title, string text) => text.Length == 0 ? "" : title + text.TrimEnd('\n') + "\n";

    private static string? Number(JsonElement run, string name, string before, string after) =>
        run.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.Number ? before + value.GetRawText() + after : null;

    private static string? Text(JsonElement parent, string name) =>
        parent.ValueKind is JsonValueKind.Object && parent.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString() : null;
}
