using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Tools;

/// <summary>
/// JSON as a text that a model reads: escaped as JSON demands and no further, because models pay by the character, and copy what they see. (Characters beyond
/// the first 65,536, such as most pictograms, this encoder always escapes.) For HTML it is not safe and not meant.
/// </summary>
internal static partial class ModelJson
{
    private const int MaximumDepth = 1_000;

    /// <summary>The encoder of such texts.</summary>
    public static JavaScriptEncoder Encoder => JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    private static readonly JsonSerializerOptions _options = new() { Encoder = Encoder };
    private static readonly JsonSerializerOptions _anything = new(AIJsonUtilities.DefaultOptions) { Encoder = Encoder, WriteIndented = false };

    /// <summary>Whatever a tool returned.</summary>
    public static string Of(object? value) => value is JsonElement json ? Of(json) : JsonSerializer.Serialize(value, _anything.GetTypeInfo(value?.GetType() ?? typeof(object)));

    /// <summary>A tree of ours.</summary>
    public static string Of(JsonNode value) => value.ToJsonString(_options);

    /// <summary>A value that somebody else wrote, perhaps with more escapes, and perhaps with what is no text.</summary>
    public static string Of(JsonElement value)
    {
        var json = Whole(value.ValueKind == JsonValueKind.Undefined ? "null" : Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8Value(value)));
        if (!json.Contains("\\u", StringComparison.Ordinal))
        {
            return json;
        }

        using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = MaximumDepth });
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = Encoder }))
        {
            document.RootElement.WriteTo(writer);
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    /// <summary>A context of generated JSON, that writes so.</summary>
    public static JsonSerializerOptions Relaxed(JsonSerializerContext context) => new(context.Options) { Encoder = Encoder };

    /// <summary>A model can write half of a surrogate pair as an escape. That is JSON, but no text, and everything that read it would fail: it becomes the sign for what can't be read.</summary>
    public static string Whole(string json) => json.Contains("\\ud", StringComparison.OrdinalIgnoreCase)
        ? Escapes().Replace(json, static escape => escape.Groups["half"].Success ? "\\ufffd" : escape.Value)
        : json;

    [GeneratedRegex(@"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?<half>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\.", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 10_000)]
    private static partial Regex Escapes();
}
