using System.Text.Json.Nodes;
using Cove.ScriptedModel.Playing;

namespace Cove.ScriptedModel.Wire;

/// <summary>One server-sent event.</summary>
internal sealed record StreamEvent(string Name, string Data)
{
    public static StreamEvent Of(string name, JsonObject data) => new(name, data.ToJsonString());

    /// <summary>Whether it is a piece of a block.</summary>
    public bool IsPiece => Name == "content_block_delta";

    public override string ToString() => $"event: {Name}\ndata: {Data}\n\n";
}

/// <summary>Tells a message as a stream of events, in the order of the API.</summary>
internal static class StreamEvents
{
    public static IEnumerable<StreamEvent> Of(Message message, Reply reply)
    {
        yield return StreamEvent.Of("message_start", new JsonObject { ["type"] = "message_start", ["message"] = message.ToJson(begun: true) });
        yield return new StreamEvent("ping", """{"type":"ping"}""");
        if (message.Answer.UnknownEvents)
        {
            yield return new StreamEvent("weather_report", """{"type":"weather_report","outlook":"fair"}""");
        }

        foreach (var (block, index) in message.Blocks.Select((block, index) => (block, index)))
        {
            foreach (var next in Block(message, reply, block, index))
            {
                yield return next;
            }
        }

        var delta = new JsonObject(message.Stopped().Select(s => KeyValuePair.Create(s.Key, s.Value?.DeepClone())));
        yield return StreamEvent.Of("message_delta", new JsonObject { ["type"] = "message_delta", ["delta"] = delta, ["usage"] = message.DeltaUsage() });
        yield return new StreamEvent("message_stop", """{"type":"message_stop"}""");
    }

    private static IEnumerable<StreamEvent> Block(Message message, Reply reply, JsonObject block, int index)
    {
        var start = block.DeepClone().AsObject();
        var deltas = Deltas(message, reply, start, index).ToArray();
        yield return StreamEvent.Of("content_block_start", new JsonObject { ["type"] = "content_block_start", ["index"] = index, ["content_block"] = start });
        foreach (var delta in deltas)
        {
            yield return StreamEvent.Of("content_block_delta", new JsonObject { ["type"] = "content_block_delta", ["index"] = index, ["delta"] = delta });
        }

        yield return StreamEvent.Of("content_block_stop", new JsonObject { ["type"] = "content_block_stop", ["index"] = index });
    }

    /// <summary>The pieces of a block; takes from <paramref name="start"/> what they carry.</summary>
    private static List<JsonObject> Deltas(Message message, Reply reply, JsonObject start, int index)
    {
        var length = message.Answer.PieceLength;
        switch ((string?)start["type"])
        {
            case "text":
                var text = (string)start["text"]!;
                start["text"] = "";
                return [.. Pieces(text, length).Select(piece => new JsonObject { ["type"] = "text_delta", ["text"] = piece })];
            case "thinking":
                var (thinking, signature) = ((string)start["thinking"]!, (string?)start["signature"] ?? "");
                (start["thinking"], start["signature"]) = ("", "");
                return
                [
                    .. Pieces(thinking, length).Select(piece => new JsonObject { ["type"] = "thinking_delta", ["thinking"] = piece }),
                    new JsonObject { ["type"] = "signature_delta", ["signature"] = signature },
                ];
            case "tool_use" or "server_tool_use" or "mcp_tool_use":
                var input = RawInput(message, reply, index) ?? start["input"]?.ToJsonString() ?? "{}";
                start["input"] = new JsonObject();

                // The first piece is empty, as the API's is; so is the only one of an input without members.
                return [.. Pieces(input == "{}" ? "" : input, length).Prepend("").Select(piece => new JsonObject { ["type"] = "input_json_delta", ["partial_json"] = piece })];
            default:
                return [];
        }
    }

    private static string? RawInput(Message message, Reply reply, int index)
    {
        var before = (message.Answer.Thinking is null ? 0 : 1) + (message.Answer.Text is null ? 0 : 1);
        return message.Answer.Calls.ElementAtOrDefault(index - before)?.RawInput is { } raw ? Placeholders.Fill(raw, reply.Values) : null;
    }

    private static IEnumerable<string> Pieces(string text, int length)
    {
        for (var at = 0; at < text.Length;)
        {
            var end = Math.Min(at + length, text.Length);
            if (end < text.Length && char.IsHighSurrogate(text[end - 1]))
            {
                end++;
            }

            yield return text[at..end];
            at = end;
        }
    }
}
