using System.Buffers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Cove.Agent.Tools;
using Cove.Server.Hosting;

namespace Cove.Server.Frontends.Mcp.Tools;

/// <summary>The arguments of a call as its tool's type; what does not fit is refused with the field's name.</summary>
internal static class McpInput
{
    public static T Read<T>(IDictionary<string, JsonElement>? arguments, JsonTypeInfo<T> type)
        where T : class
    {
        var buffer = new ArrayBufferWriter<byte>();
        try
        {
            using (var json = new Utf8JsonWriter(buffer))
            {
                json.WriteStartObject();
                foreach (var (name, value) in arguments ?? new Dictionary<string, JsonElement>())
                {
                    json.WritePropertyName(name);
                    value.WriteTo(json);
                }

                json.WriteEndObject();
            }

            return JsonSerializer.Deserialize(buffer.WrittenSpan, type)!;
        }
        catch (JsonException failure)
        {
            var (message, fix) = JsonFaults.Explain("The input", failure, type, buffer.WrittenSpan);
            throw Problems.Bad("invalid_input", message, $"{fix} The tool's input schema says what each field takes.");
        }
        catch (Exception failure) when (failure is InvalidOperationException or ArgumentException)
        {
            throw Problems.Bad("invalid_input", "An argument holds a string that is no text, such as half of a surrogate pair.", "Give text that is valid Unicode.");
        }
    }

    /// <summary>A sandbox's id as a model wrote it.</summary>
    public static SandboxId Sandbox(string text) => SandboxId.TryParse(text, out var id) ? id
        : throw Problems.Bad("invalid_input", $"sandbox_id is '{Excerpts.Short(text, 300)}', which is no id.", "Give the sandbox_id that create_sandbox returned.");

    /// <summary>Seconds within bounds.</summary>
    public static TimeSpan? Seconds(double? given, string field, double least, double most) => given is not { } seconds ? null
        : double.IsFinite(seconds) && seconds >= least && seconds <= most ? TimeSpan.FromSeconds(seconds)
        : throw Problems.Bad("invalid_input", FormattableString.Invariant($"{field} is {seconds}."), FormattableString.Invariant($"Give seconds, from {least} to {most}."));
}
