using System.Buffers;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Tools;

/// <summary>The arguments of a call as one JSON object, however they came.</summary>
internal static class ToolInput
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
                    json.WriteRawValue(ModelJson.Whole(given.GetRawText()), skipInputValidation: true);
                    continue;
                }

                JsonSerializer.Serialize(json, value, AIJsonUtilities.DefaultOptions.GetTypeInfo(value?.GetType() ?? typeof(object)));
            }

            json.WriteEndObject();
        }

        var reader = new Utf8JsonReader(buffer.WrittenSpan);
        return JsonElement.ParseValue(ref reader);
    }
}
