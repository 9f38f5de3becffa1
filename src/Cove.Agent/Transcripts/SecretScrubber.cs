using System.Buffers;
using System.Text.Json;
using System.Text.RegularExpressions;
using Cove.Agent.Secrets;

namespace Cove.Agent.Transcripts;

/// <summary>
/// Keeps secrets out of what is written: those that are known, in every form <see cref="Redactor"/> finds, and what looks like a key though nobody named it.
/// </summary>
internal sealed partial class SecretScrubber(IReadOnlyList<Redactor> redactors)
{
    private const string Mark = "[redacted key]";

    /// <summary>A JSON value with every text in it scrubbed, names included.</summary>
    public ReadOnlyMemory<byte> Scrub(JsonElement value)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            Write(json, value);
        }

        return buffer.WrittenMemory;
    }

    public string Scrub(string text)
    {
        foreach (var redactor in redactors)
        {
            text = redactor.Redact(text);
        }

        return Keys().Replace(text, Mark);
    }

    private void Write(Utf8JsonWriter json, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                json.WriteStartObject();
                foreach (var property in value.EnumerateObject())
                {
                    json.WritePropertyName(Scrub(property.Name));
                    Write(json, property.Value);
                }

                json.WriteEndObject();
                break;
            case JsonValueKind.Array:
                json.WriteStartArray();
                foreach (var item in value.EnumerateArray())
                {
                    Write(json, item);
                }

                json.WriteEndArray();
                break;
            case JsonValueKind.String:
                json.WriteStringValue(Scrub(value.GetString()!));
                break;
            case JsonValueKind.Number when Scrub(value.GetRawText()) is var text && text != value.GetRawText():
                json.WriteStringValue(text);
                break;
            default:
                value.WriteTo(json);
                break;
        }
    }

    /// <summary>Keys of providers whose form says what they are. Bounded in time: no part of it can match in two ways.</summary>
    [GeneratedRegex(@"sk-ant-[A-Za-z0-9_-]{8,}|cove_[A-Za-z0-9_-]{16,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|xox[abposr]-[A-Za-z0-9-]{10,}|AKIA[0-9A-Z]{16}|-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Keys();
}
