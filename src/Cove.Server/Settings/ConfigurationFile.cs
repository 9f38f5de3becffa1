using System.Text.Json;
using Cove.Server.Hosting;

namespace Cove.Server.Settings;

/// <summary>A configuration file: one JSON object of keys and values. A key that is not known is refused, so that a misspelt one is not silently ignored.</summary>
internal static class ConfigurationFile
{
    private const long MaximumBytes = 1 << 20;

    public static IReadOnlyDictionary<string, string> Read(string path)
    {
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > MaximumBytes })
            {
                throw Bad(path, "it is larger than 1 MiB", "Keep settings in it and nothing else.");
            }

            using var document = JsonDocument.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { AllowDuplicateProperties = false });
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? document.RootElement.EnumerateObject().ToDictionary(p => Known(path, p.Name).Key, p => Text(path, Known(path, p.Name), p.Value))
                : throw Bad(path, "it holds no JSON object", """Write {"urls": "http://127.0.0.1:8787"}, for example.""");
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw Bad(path, "it can't be read: " + failure.Message, "Name a file that this user can read.");
        }
        catch (JsonException failure)
        {
            throw Bad(path, "it is no JSON: " + failure.Message, "Correct it at the line that is named; comments are not JSON.");
        }
    }

    private static Setting Known(string path, string key) =>
        ServerSettings.All.FirstOrDefault(setting => setting.Key == key)
        ?? throw Bad(path, $"it has the key '{key}', which is not known", "Use one of: " + string.Join(", ", ServerSettings.All.Select(setting => setting.Key)) + ".");

    private static string Text(string path, Setting setting, JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Number => value.GetRawText(),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        JsonValueKind.Array when setting.IsList && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String) =>
            string.Join(',', value.EnumerateArray().Select(item => item.GetString())),
        _ => throw Bad(path, $"its key '{setting.Key}' holds a {value.ValueKind.ToString().ToLowerInvariant()}", $"Give {setting.Range}."),
    };

    private static CoveException Bad(string path, string what, string fix) => Problems.Bad("invalid_configuration", $"The configuration file {path} is not acceptable: {what.TrimEnd('.')}.", fix);
}
