using System.Text.Json;

namespace Cove.Engine.ToolCalls;

/// <summary>The arguments of a tool call as the guest wrote them: text, of which nothing is believed.</summary>
internal static class ToolArguments
{
    public const int MaxBytes = 256 << 10;
    public const int MaxDepth = 32;

    private static readonly JsonDocumentOptions _options = new() { MaxDepth = MaxDepth, AllowDuplicateProperties = false };

    /// <summary>The object that the text is; null for any other text.</summary>
    public static JsonElement? Parse(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text, _options);
            return document.RootElement.ValueKind == JsonValueKind.Object && HoldsText(document.RootElement) ? document.RootElement.Clone() : null;
        }
        catch (Exception exception) when (exception is JsonException or ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>Whether all strings in it are text: the escape of half a surrogate pair is valid JSON, and throws wherever it is read.</summary>
    public static bool HoldsText(JsonElement value)
    {
        try
        {
            return IsText(value);
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private static bool IsText(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString() is not null,
        JsonValueKind.Array => value.EnumerateArray().All(IsText),
        JsonValueKind.Object => value.EnumerateObject().All(p => p.Name is not null && IsText(p.Value)),
        _ => true,
    };
}
