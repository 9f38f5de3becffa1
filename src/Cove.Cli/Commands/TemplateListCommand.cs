using System.CommandLine;
using System.Text.Json;
using Cove.Cli.Warm;
using Cove.Wire;

namespace Cove.Cli.Commands;

/// <summary><c>cove template list</c>.</summary>
internal static class TemplateListCommand
{
    public static Command Create(TimeProvider time)
    {
        var json = new Option<bool>("--json") { Description = "Print one JSON object." };
        var engine = new EngineOptionSet();
        var command = new Command("list", "List the templates with what they have installed.") { json };
        engine.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            await using var cove = await Connection.OpenAsync(engine.Choice(parsed), time, cancellationToken);
            var templates = await cove.ListTemplatesAsync(cancellationToken);
            if (parsed.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(new TemplateList(templates), CoveJson.Wire.TemplateList));
                return ExitCodes.Ok;
            }

            foreach (var template in templates)
            {
                Console.WriteLine($"{template.Name}: {template.Description}");
                Line("root", [template.Root == "own" ? "its own" : "the host's /usr"]);
                Line("languages", template.Languages.Select(pair => $"{pair.Key} {pair.Value}"));
                Line("preloaded", template.Preload);
                Line("packages", template.Packages.Select(pair => $"{pair.Key} {pair.Value}"));
                Line("limits", [$"{template.Limits.MemoryBytes >> 20} MiB memory", $"{template.Limits.CpuMillis / 1000.0:0.##} CPU", $"{template.Limits.Pids} processes", $"{template.Limits.DiskBytes >> 20} MiB disk"]);
            }

            return ExitCodes.Ok;
        });
        return command;
    }

    private static void Line(string name, IEnumerable<string> values) => Console.WriteLine($"  {name,-10} {(values.Any() ? string.Join(", ", values) : "none")}");
}
