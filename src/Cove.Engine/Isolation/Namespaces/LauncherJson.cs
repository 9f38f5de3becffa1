using System.Text.Json;

namespace Cove.Engine.Isolation.Namespaces;

/// <summary>The pieces of launcher messages.</summary>
internal static class LauncherJson
{
    public static void WriteStrings(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
        {
            json.WriteStringValue(value);
        }

        json.WriteEndArray();
    }

    public static void WriteStrings(Utf8JsonWriter json, string name, IEnumerable<KeyValuePair<string, string>> values)
    {
        json.WriteStartObject(name);
        foreach (var (key, value) in values)
        {
            json.WriteString(key, value);
        }

        json.WriteEndObject();
    }

    public static void WriteCommand(Utf8JsonWriter json, long process, CommandSpec command)
    {
        json.WriteNumber("process", process);
        json.WriteString("directory", command.WorkingDirectory);
        WriteStrings(json, "argv", command.Argv);
        WriteStrings(json, "environment", command.Environment);
    }

    public static void WriteLimits(Utf8JsonWriter json, SandboxLimits limits)
    {
        json.WriteStartObject("limits");
        json.WriteNumber("memory_bytes", limits.MemoryBytes);
        json.WriteNumber("cpu_millis", limits.CpuMillis);
        json.WriteNumber("pids", limits.Pids);
        json.WriteNumber("disk_bytes", limits.DiskBytes);
        json.WriteNumber("inodes", limits.Inodes);
        json.WriteNumber("open_files", limits.OpenFiles);
        json.WriteEndObject();
    }

    public static int? Number(JsonElement message, string field) =>
        message.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetInt32() : null;
}
