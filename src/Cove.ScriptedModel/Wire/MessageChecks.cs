using System.Text.Json;
using Cove.ScriptedModel.Playing;

namespace Cove.ScriptedModel.Wire;

/// <summary>Checks the messages of a request: roles, content, and that every call of a tool is answered where the API wants it.</summary>
internal static class MessageChecks
{
    public static void Check(JsonElement messages, bool newest)
    {
        if (messages.GetArrayLength() == 0)
        {
            throw ApiException.Invalid("messages: at least one message is required");
        }

        foreach (var (message, index) in messages.EnumerateArray().Select((message, index) => (message, index)))
        {
            One(message, $"messages.{index}", newest);
        }

        if (Content.Role(messages[0]) == "assistant")
        {
            throw ApiException.Invalid("messages: first message must use the \"user\" role");
        }

        Answered(Joined(messages));
        var last = messages[messages.GetArrayLength() - 1];
        if (Content.Role(last) == "assistant" && Content.Blocks(last).LastOrDefault() is { ValueKind: JsonValueKind.Object } end && Content.Type(end) == "text" && Content.Text(end) is var text && text != text.TrimEnd())
        {
            throw ApiException.Invalid("messages: final assistant content cannot end with trailing whitespace");
        }
    }

    public static bool SpeaksOfTools(JsonElement messages) =>
        messages.EnumerateArray().SelectMany(Content.Blocks).Any(block => Content.Type(block) is "tool_use" or "tool_result");

    private static void One(JsonElement message, string at, bool newest)
    {
        if (message.ValueKind != JsonValueKind.Object)
        {
            throw ApiException.Invalid($"{at}: Input should be a valid dictionary");
        }

        if (message.EnumerateObject().Select(p => p.Name).FirstOrDefault(name => name is not ("role" or "content")) is { } strange)
        {
            throw ApiException.Invalid($"{at}.{strange}: Extra inputs are not permitted");
        }

        // The system's messages came with the version of October 2026; before it a client asks for them with a beta that is taken as given.
        if (Content.Role(message) is not ("user" or "assistant" or "system"))
        {
            throw ApiException.Invalid($"{at}.role: Input should be 'user'{(newest ? ", 'system'" : "")} or 'assistant'");
        }

        if (!message.TryGetProperty("content", out var content))
        {
            throw ApiException.Invalid($"{at}.content: Field required");
        }

        if (content.ValueKind is not (JsonValueKind.String or JsonValueKind.Array))
        {
            throw ApiException.Invalid($"{at}.content: Input should be a valid string or list");
        }

        if (content.ValueKind == JsonValueKind.String ? content.GetString()!.Length == 0 : content.GetArrayLength() == 0 && Content.Role(message) != "assistant")
        {
            throw ApiException.Invalid($"{at}: all messages must have non-empty content except for the optional final assistant message");
        }

        if (content.ValueKind == JsonValueKind.Array)
        {
            foreach (var (block, index) in content.EnumerateArray().Select((block, index) => (block, index)))
            {
                BlockChecks.Check(block, $"{at}.content.{index}", Content.Role(message)!);
            }
        }
    }

    /// <summary>Messages of one role that follow each other are one turn to the API.</summary>
    private static List<Spoken> Joined(JsonElement messages)
    {
        var joined = new List<Spoken>();
        foreach (var (message, index) in messages.EnumerateArray().Select((message, index) => (message, index)))
        {
            var role = Content.Role(message) == "assistant" ? "assistant" : "user";
            if (joined.Count == 0 || joined[^1].Role != role)
            {
                joined.Add(new Spoken(role, index, []));
            }

            joined[^1].Blocks.AddRange(Content.Blocks(message));
        }

        return joined;
    }

    private static void Answered(List<Spoken> turns)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < turns.Count; i++)
        {
            var asked = i > 0 && turns[i].Role == "user" ? Ids(turns[i - 1], "tool_use", "id") : [];
            if (turns[i].Role == "assistant")
            {
                if (Ids(turns[i], "tool_use", "id").FirstOrDefault(id => !seen.Add(id)) is not null)
                {
                    throw ApiException.Invalid($"messages.{turns[i].Index}: `tool_use` ids must be unique");
                }

                Followed(turns, i);
            }
            else
            {
                Answers(turns[i], asked);
            }
        }
    }

    private static void Followed(List<Spoken> turns, int i)
    {
        // Results come first; what stands after a text answers nothing.
        var next = i + 1 < turns.Count ? turns[i + 1].Blocks.TakeWhile(b => Content.Type(b) == "tool_result").Select(b => b.GetProperty("tool_use_id").GetString()!).ToArray() : [];
        var open = Ids(turns[i], "tool_use", "id").Where(id => !next.Contains(id, StringComparer.Ordinal)).ToArray();
        if (open.Length > 0)
        {
            throw ApiException.Invalid(
                $"messages.{turns[i].Index}: `tool_use` ids were found without `tool_result` blocks immediately after: {string.Join(", ", open)}. Each `tool_use` block must have a corresponding `tool_result` block in the next message.");
        }
    }

    private static void Answers(Spoken turn, string[] asked)
    {
        var answered = Ids(turn, "tool_result", "tool_use_id");
        if (answered.FirstOrDefault(id => !asked.Contains(id, StringComparer.Ordinal)) is { } stray)
        {
            throw ApiException.Invalid(
                $"messages.{turn.Index}.content: unexpected `tool_use_id` found in `tool_result` blocks: {stray}. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.");
        }

        if (answered.GroupBy(id => id, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw ApiException.Invalid($"messages.{turn.Index}.content: each tool_use must have a single result. Found multiple `tool_result` blocks with id: {twice.Key}");
        }
    }

    private static string[] Ids(Spoken turn, string type, string name) => [.. turn.Blocks.Where(b => Content.Type(b) == type).Select(b => b.GetProperty(name).GetString()!)];

    private sealed record Spoken(string Role, int Index, List<JsonElement> Blocks);
}
