using System.Text.Json;

namespace Cove.ScriptedModel.Playing;

/// <summary>What the model has before it when it answers: what came in since its last answer, and what the request offers.</summary>
internal sealed record Situation
{
    public required IReadOnlyList<ResultView> Results { get; init; }

    /// <summary>What was said, without results of tools.</summary>
    public required string Message { get; init; }

    public required string System { get; init; }

    public required string Model { get; init; }

    /// <summary>The tools that may be called.</summary>
    public required IReadOnlyList<string> Tools { get; init; }

    public bool AnyCallable => Tools.Count > 0;

    public string CallableNames => Tools.Count == 0 ? "none" : string.Join(", ", Tools);

    public bool Callable(string tool) => Tools.Contains(tool, StringComparer.Ordinal);

    public IReadOnlyList<ResultView> Of(string? name) =>
        name is null ? Results : [.. Results.Where(r => r.As == name) is var named && named.Any() ? named : Results.Where(r => r.Tool == name)];

    /// <summary>What is between two answers.</summary>
    public static Situation Of(JsonElement request, IEnumerable<JsonElement> messages, IReadOnlyDictionary<string, (string Tool, string? As)> calls)
    {
        var blocks = messages.SelectMany(Content.Blocks).ToArray();
        return new Situation
        {
            Results = [.. blocks.Where(b => Content.Type(b) == "tool_result").Select(b => ResultView.Of(b, calls))],
            Message = string.Join('\n', blocks.Where(b => Content.Type(b) == "text").Select(Content.Text)),
            System = request.TryGetProperty("system", out var system) ? string.Join('\n', Content.Of(system).Select(Content.Text)) : "",
            Model = request.GetProperty("model").GetString() ?? "",
            Tools = Offered(request),
        };
    }

    private static string[] Offered(JsonElement request)
    {
        if (!request.TryGetProperty("tools", out var tools) || tools.ValueKind != JsonValueKind.Array)
        {
            return [];
        }

        var choice = request.TryGetProperty("tool_choice", out var given) && given.ValueKind == JsonValueKind.Object ? given : default;
        var kind = choice.ValueKind == JsonValueKind.Object ? choice.GetProperty("type").GetString() : "auto";
        return kind switch
        {
            "none" => [],
            "tool" => [choice.GetProperty("name").GetString()!],
            _ => [.. tools.EnumerateArray().Select(tool => tool.TryGetProperty("name", out var name) ? name.GetString() : null).OfType<string>()],
        };
    }
}

/// <summary>A tool's result as the script speaks of it.</summary>
internal sealed record ResultView(string? Tool, string? As, IReadOnlyList<string> Texts, bool IsError, bool HasImage)
{
    public static ResultView Of(JsonElement block, IReadOnlyDictionary<string, (string Tool, string? As)> calls)
    {
        var (tool, name) = calls.GetValueOrDefault(block.GetProperty("tool_use_id").GetString()!);
        var parts = block.TryGetProperty("content", out var content) ? Content.Of(content).ToArray() : [];
        return new ResultView(
            tool,
            name,
            [.. parts.Where(p => Content.Type(p) == "text").Select(Content.Text)],
            block.TryGetProperty("is_error", out var isError) && isError.ValueKind == JsonValueKind.True,
            parts.Any(p => Content.Type(p) == "image"));
    }
}

/// <summary>Reads content, that is a text or a list of blocks.</summary>
internal static class Content
{
    public static IEnumerable<JsonElement> Blocks(JsonElement message) => Of(message.GetProperty("content"));

    public static IEnumerable<JsonElement> Of(JsonElement content) => content.ValueKind switch
    {
        JsonValueKind.String => [Wrap(content)],
        JsonValueKind.Array => content.EnumerateArray(),
        _ => [],
    };

    public static string? Type(JsonElement block) =>
        block.ValueKind == JsonValueKind.Object && block.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String ? type.GetString() : null;

    public static string Text(JsonElement block) => block.TryGetProperty("text", out var text) ? text.GetString() ?? "" : "";

    public static string? Role(JsonElement message) =>
        message.ValueKind == JsonValueKind.Object && message.TryGetProperty("role", out var role) && role.ValueKind == JsonValueKind.String ? role.GetString() : null;

    private static JsonElement Wrap(JsonElement text)
    {
        using var document = JsonDocument.Parse($"{{\"type\":\"text\",\"text\":{text.GetRawText()}}}");
        return document.RootElement.Clone();
    }
}
