using System.Buffers;
using System.Text.Json;
using Cove.Agent.Tools;
using Microsoft.Extensions.AI;

namespace Cove.Agent.HostCalls;

/// <summary>What tools return, as the JSON that code in a sandbox gets.</summary>
internal static class ToolAnswers
{
    /// <summary>A failure, in words made for a reader that is not trusted.</summary>
    public static HostAnswer Of(ToolError error) =>
        HostAnswer.Failed(JsonNamingPolicy.SnakeCaseLower.ConvertName(error.ErrorCategory.ToString()), $"{error.Context} {error.Remediation}".Trim(), error.IsRetryable);

    /// <summary>A value: texts as text, pictures and files as <c>{media_type, data}</c> in base64, anything else as it is in JSON.</summary>
    public static HostAnswer Of(object? value)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            Write(json, value);
        }

        var reader = new Utf8JsonReader(buffer.WrittenSpan);
        return HostAnswer.Of(JsonElement.ParseValue(ref reader));
    }

    private static void Write(Utf8JsonWriter json, object? value)
    {
        switch (value)
        {
            case TextContent text:
                json.WriteStringValue(text.Text);
                break;
            case DataContent data:
                json.WriteStartObject();
                json.WriteString("media_type"u8, data.MediaType);
                json.WriteString("data"u8, data.Base64Data.Span);
                json.WriteEndObject();
                break;
            case IEnumerable<AIContent> contents when contents.All(c => c is TextContent):
                json.WriteStringValue(string.Join('\n', contents.Cast<TextContent>().Select(t => t.Text)));
                break;
            case IEnumerable<AIContent> contents:
                json.WriteStartArray();
                foreach (var content in contents)
                {
                    Write(json, content);
                }

                json.WriteEndArray();
                break;
            default:
                JsonSerializer.Serialize(json, value, AIJsonUtilities.DefaultOptions.GetTypeInfo(value?.GetType() ?? typeof(object)));
                break;
        }
    }
}
