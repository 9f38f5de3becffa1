using System.Text.Json;
using Cove.ScriptedModel.Playing;

namespace Cove.ScriptedModel.Wire;

/// <summary>Checks the blocks of messages.</summary>
internal static class BlockChecks
{
    private static readonly string[] Images = ["image/jpeg", "image/png", "image/gif", "image/webp"];

    /// <summary>The fields of the blocks whose fields are checked; others pass as they are.</summary>
    private static readonly Dictionary<string, string[]> Fields = new(StringComparer.Ordinal)
    {
        ["text"] = ["type", "text", "cache_control", "citations"],
        ["image"] = ["type", "source", "cache_control", "transformations"],
        ["tool_use"] = ["type", "id", "name", "input", "caller", "cache_control", "toolset_name"],
        ["tool_result"] = ["type", "tool_use_id", "content", "is_error", "cache_control", "toolset_name"],
        ["thinking"] = ["type", "thinking", "signature"],
    };

    private static readonly string[] Others =
    [
        "document", "search_result", "redacted_thinking", "server_tool_use", "container_upload", "mcp_tool_use", "mcp_tool_result", "tool_reference", "compaction", "browser_state", "fallback",
    ];

    public static void Check(JsonElement block, string at, string role)
    {
        var type = Content.Type(block) ?? throw ApiException.Invalid($"{at}.type: Field required");
        if (!Fields.TryGetValue(type, out var fields))
        {
            if (!Others.Contains(type, StringComparer.Ordinal) && !type.EndsWith("_tool_result", StringComparison.Ordinal))
            {
                throw ApiException.Invalid($"{at}: Input tag '{type}' found using 'type' does not match any of the expected tags");
            }

            return;
        }

        if (block.EnumerateObject().Select(p => p.Name).FirstOrDefault(name => !fields.Contains(name, StringComparer.Ordinal)) is { } strange)
        {
            throw ApiException.Invalid($"{at}.{type}.{strange}: Extra inputs are not permitted");
        }

        Place(type, role, at);
        Kind(block, type, $"{at}.{type}");
    }

    private static void Place(string type, string role, string at)
    {
        if (type is "tool_use" or "thinking" && role != "assistant")
        {
            throw ApiException.Invalid($"{at}: `{type}` blocks can only be in `assistant` messages");
        }

        if (type is "tool_result" or "image" && role == "assistant")
        {
            throw ApiException.Invalid($"{at}: `{type}` blocks can only be in `user` messages");
        }
    }

    private static void Kind(JsonElement block, string type, string at)
    {
        switch (type)
        {
            case "text":
                if (string.IsNullOrWhiteSpace(Text(block, "text", at)))
                {
                    throw ApiException.Invalid(Text(block, "text", at).Length == 0 ? "messages: text content blocks must be non-empty" : "messages: text content blocks must contain non-whitespace text");
                }

                break;
            case "image":
                Image(block, at);
                break;
            case "tool_use":
                ToolUse(block, at);
                break;
            case "tool_result":
                ToolResult(block, at);
                break;
            default:
                Text(block, "thinking", at);
                Text(block, "signature", at);
                break;
        }
    }

    private static void ToolUse(JsonElement block, string at)
    {
        Text(block, "id", at);
        if (!RequestChecks.ToolName().IsMatch(Text(block, "name", at)))
        {
            throw ApiException.Invalid($"{at}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'");
        }

        if (!block.TryGetProperty("input", out var input) || input.ValueKind != JsonValueKind.Object)
        {
            throw ApiException.Invalid($"{at}.input: Input should be a valid dictionary");
        }
    }

    private static void ToolResult(JsonElement block, string at)
    {
        Text(block, "tool_use_id", at);
        var isError = block.TryGetProperty("is_error", out var flag) && flag.ValueKind switch
        {
            JsonValueKind.True => true,
            JsonValueKind.False or JsonValueKind.Null => false,
            _ => throw ApiException.Invalid($"{at}.is_error: Input should be a valid boolean"),
        };
        if (!block.TryGetProperty("content", out var content) || content.ValueKind is JsonValueKind.String)
        {
            return;
        }

        if (content.ValueKind != JsonValueKind.Array)
        {
            throw ApiException.Invalid($"{at}.content: Input should be a valid string or list");
        }

        foreach (var (part, index) in content.EnumerateArray().Select((part, index) => (part, index)))
        {
            if (Content.Type(part) is not ("text" or "image" or "search_result" or "document" or "tool_reference" or "browser_state"))
            {
                throw ApiException.Invalid($"{at}.content.{index}: Input tag '{Content.Type(part)}' found using 'type' does not match any of the expected tags: 'document', 'image', 'search_result', 'text', 'tool_reference'");
            }

            if (isError && Content.Type(part) != "text")
            {
                throw ApiException.Invalid($"{at}: all content must be type \"text\" if `is_error` is true");
            }

            Check(part, $"{at}.content.{index}", "user");
        }
    }

    private static void Image(JsonElement block, string at)
    {
        if (!block.TryGetProperty("source", out var source) || Content.Type(source) is not { } kind)
        {
            throw ApiException.Invalid($"{at}.source: Field required");
        }

        if (kind != "base64")
        {
            return;
        }

        var media = Text(source, "media_type", $"{at}.source.base64");
        if (!Images.Contains(media, StringComparer.Ordinal))
        {
            throw ApiException.Invalid($"{at}.source.base64.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'");
        }

        Text(source, "data", $"{at}.source.base64");
        if (!source.GetProperty("data").TryGetBytesFromBase64(out var data))
        {
            throw ApiException.Invalid($"{at}.source.base64: invalid base64 data");
        }

        if (Recognized(data) != media)
        {
            throw ApiException.Invalid($"{at}.source.base64.data: Image does not match the provided media type {media}");
        }
    }

    private static string? Recognized(ReadOnlySpan<byte> data) =>
        data.StartsWith(new byte[] { 0x89, (byte)'P', (byte)'N', (byte)'G' }) ? "image/png"
        : data.StartsWith(new byte[] { 0xFF, 0xD8, 0xFF }) ? "image/jpeg"
        : data.StartsWith("GIF8"u8) ? "image/gif"
        : data.Length > 12 && data.StartsWith("RIFF"u8) && data[8..].StartsWith("WEBP"u8) ? "image/webp"
        : null;

    private static string Text(JsonElement block, string name, string at)
    {
        if (!block.TryGetProperty(name, out var value))
        {
            throw ApiException.Invalid($"{at}.{name}: Field required");
        }

        return value.ValueKind == JsonValueKind.String ? value.GetString()! : throw ApiException.Invalid($"{at}.{name}: Input should be a valid string");
    }
}
