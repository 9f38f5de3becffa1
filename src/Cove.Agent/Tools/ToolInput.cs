using System.Buffers;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Tools;

/// <summary>The arguments of a call as one JSON object, however they came.</summary>
internal static partial class ToolInput
{
    /// <summary>From the named values of Microsoft.Extensions.AI.</summary>
    public static JsonElement From(IEnumerable<KeyValuePair<string, object?>> arguments)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            foreach (var (name, value) in arguments)
            {
                json.WritePropertyName(name);
                if (value is JsonElement given && given.ValueKind is not JsonValueKind.Undefined)
                {
                    json.WriteRawValue(Whole(given.GetRawText()), skipInputValidation: true);
                    continue;
                }

                JsonSerializer.Serialize(json, value, AIJsonUtilities.DefaultOptions.GetTypeInfo(value?.GetType() ?? typeof(object)));
            }

            json.WriteEndObject();
        }

        var reader = new Utf8JsonReader(buffer.WrittenSpan);
        return JsonElement.ParseValue(ref reader);
    }

    /// <summary>A model can write half of a surrogate pair as an escape. That is JSON, but no text, and everything that read it would fail: it becomes the sign for what can't be read.</summary>
    private static string Whole(string json) => json.Contains("\\ud", StringComparison.OrdinalIgnoreCase)
        ? Escapes().Replace(json, static escape => escape.Groups["half"].Success ? "\\ufffd" : escape.Value)
        : json;

    [GeneratedRegex(@"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 10_000)]
    private static partial Regex Escapes();
}
