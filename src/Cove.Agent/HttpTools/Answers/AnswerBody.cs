using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cove.Agent.HttpTools.Sending;
using Cove.Agent.Secrets;

namespace Cove.Agent.HttpTools.Answers;

/// <summary>The body of an answer, with every secret hidden before anybody looks at it.</summary>
internal sealed record AnswerBody
{
    private static readonly JsonDocumentOptions _options = new() { MaxDepth = 64 };

    private AnswerBody(JsonNode? json, bool isJson, string text) => (Json, IsJson, Text) = (json, isJson, text);

    /// <summary>It as JSON; null also when it is none.</summary>
    public JsonNode? Json { get; }

    public bool IsJson { get; }

    /// <summary>It as text.</summary>
    public string Text { get; }

    public static AnswerBody Read(Attempt answer, Redactor redactor)
    {
        var text = Decoded(answer);
        try
        {
            using var document = JsonDocument.Parse(text, _options);
            return new AnswerBody(Redacted(document.RootElement, redactor), true, redactor.Redact(text));
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            return new AnswerBody(null, false, redactor.Redact(text));
        }
    }

    private static string Decoded(Attempt answer)
    {
        var isLatin = answer.Charset?.Trim('"') is { } charset && charset.Equals("iso-8859-1", StringComparison.OrdinalIgnoreCase);
        return (isLatin ? Encoding.Latin1 : Encoding.UTF8).GetString(answer.Body).TrimStart('\uFEFF');
    }

    /// <summary>Every text is looked at as it is meant, whatever escapes it was written with.</summary>
    private static JsonNode? Redacted(JsonElement value, Redactor redactor)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                var made = new JsonObject();
                foreach (var property in value.EnumerateObject())
                {
                    made[redactor.Redact(property.Name)] = Redacted(property.Value, redactor);
                }

                return made;
            case JsonValueKind.Array:
                return new JsonArray([.. value.EnumerateArray().Select(item => Redacted(item, redactor))]);
            case JsonValueKind.String:
                return JsonValue.Create(redactor.Redact(value.GetString()!));
            case JsonValueKind.Number:
                var number = value.GetRawText();
                return redactor.Redact(number) is var redacted && redacted == number ? JsonNode.Parse(number) : JsonValue.Create(redacted);
            case JsonValueKind.True or JsonValueKind.False:
                return JsonValue.Create(value.GetBoolean());
            default:
                return null;
        }
    }
}
