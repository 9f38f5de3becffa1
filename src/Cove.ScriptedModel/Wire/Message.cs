using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cove.ScriptedModel.Playing;
using Cove.ScriptedModel.Scripts;

namespace Cove.ScriptedModel.Wire;

/// <summary>An answer in the form of the wire: of the version of 2023, or of that of October 2026, in which every member is always there.</summary>
internal sealed class Message
{
    private const int CharactersPerToken = 4;
    private static readonly string[] Counted = ["messages", "system", "tools"];
    private static readonly string[] OnlyAtTheStart = ["cache_creation", "inference_geo", "service_tier", "speed"];
    private readonly bool _newest;
    private readonly Answer _answer;

    private Message(JsonElement request, Reply reply, bool newest)
    {
        (_newest, _answer) = (newest, reply.Branch.Answer);
        Seed = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(request.GetProperty("messages").GetRawText())));
        Model = request.GetProperty("model").GetString()!;
        Blocks = [.. Content(reply)];
        InputTokens = Estimate(request);
        OutputTokens = Math.Max(1, (Blocks.Sum(b => b.ToJsonString().Length) + CharactersPerToken - 1) / CharactersPerToken);
    }

    /// <summary>What the ids are made of: the messages that are answered, so that the same question gets the same ids.</summary>
    public string Seed { get; }

    public string Model { get; }

    /// <summary>The content, whole.</summary>
    public IReadOnlyList<JsonObject> Blocks { get; }

    public int InputTokens { get; }

    public int OutputTokens { get; }

    public Answer Answer => _answer;

    public static Message Of(JsonElement request, Reply reply, bool newest) => new(request, reply, newest);

    public static int Estimate(JsonElement request) =>
        Math.Max(1, (Counted.Sum(name => request.TryGetProperty(name, out var part) ? part.GetRawText().Length : 0) + CharactersPerToken - 1) / CharactersPerToken);

    /// <summary>The message; with <paramref name="begun"/> as a stream begins with it.</summary>
    public JsonObject ToJson(bool begun = false)
    {
        var message = new JsonObject
        {
            ["id"] = $"msg_{Seed[..24]}",
            ["type"] = "message",
            ["role"] = "assistant",
            ["model"] = Model,
            ["content"] = begun ? new JsonArray() : new JsonArray([.. Blocks.Select(b => b.DeepClone())]),
        };
        foreach (var (name, value) in begun ? NotStopped() : Stopped())
        {
            message[name] = value?.DeepClone();
        }

        if (_newest)
        {
            message["diagnostics"] = null;
        }

        message["usage"] = Usage(begun);
        return message;
    }

    /// <summary>Why and with what it stopped.</summary>
    public IEnumerable<KeyValuePair<string, JsonNode?>> Stopped()
    {
        yield return new("stop_reason", _answer.StopReason);
        yield return new("stop_sequence", _answer.StopSequence);
        foreach (var (name, value) in new[] { ("stop_details", StopDetails()), ("container", _answer.Container) })
        {
            if (_newest || value is not null)
            {
                yield return new(name, value);
            }
        }
    }

    /// <summary>What it used; with <paramref name="begun"/> as far as it is known when the answer begins.</summary>
    public JsonObject Usage(bool begun)
    {
        var usage = new JsonObject
        {
            ["input_tokens"] = InputTokens,
            ["cache_creation_input_tokens"] = 0,
            ["cache_read_input_tokens"] = 0,
            ["output_tokens"] = begun ? 1 : OutputTokens,
        };
        if (_newest)
        {
            usage["cache_creation"] = new JsonObject { ["ephemeral_1h_input_tokens"] = 0, ["ephemeral_5m_input_tokens"] = 0 };
            usage["inference_geo"] = null;
            usage["output_tokens_details"] = null;
            usage["server_tool_use"] = null;
            usage["service_tier"] = "standard";
            usage["speed"] = null;
        }

        foreach (var (name, value) in _answer.Usage ?? [])
        {
            if (!begun || name != "output_tokens")
            {
                usage[name] = value?.DeepClone();
            }
        }

        return usage;
    }

    /// <summary>The usage of a stream's end, that counts from its beginning.</summary>
    public JsonObject DeltaUsage()
    {
        var usage = Usage(begun: false);
        foreach (var name in OnlyAtTheStart)
        {
            usage.Remove(name);
        }

        return usage;
    }

    private IEnumerable<KeyValuePair<string, JsonNode?>> NotStopped()
    {
        yield return new("stop_reason", null);
        yield return new("stop_sequence", null);
        if (_newest)
        {
            yield return new("stop_details", null);
            yield return new("container", null);
        }
    }

    private JsonObject? StopDetails() =>
        _answer.StopDetails is null && _answer.StopReason == "refusal" && _newest
            ? new JsonObject { ["type"] = "refusal", ["category"] = null, ["explanation"] = null }
            : _answer.StopDetails?["type"] is null && _answer.StopDetails is { } details ? new JsonObject([new("type", "refusal"), .. details.DeepClone().AsObject().Select(d => KeyValuePair.Create(d.Key, d.Value?.DeepClone()))])
            : _answer.StopDetails;

    private IEnumerable<JsonObject> Content(Reply reply)
    {
        if (_answer.Thinking is { } thinking)
        {
            yield return new JsonObject { ["type"] = "thinking", ["thinking"] = Placeholders.Fill(thinking, reply.Values), ["signature"] = $"sig{Seed[..32]}" };
        }

        if (_answer.Text is { } text)
        {
            var block = new JsonObject { ["type"] = "text", ["text"] = Placeholders.Fill(text, reply.Values) };
            if (_newest)
            {
                block["citations"] = null;
            }

            yield return block;
        }

        foreach (var (call, index) in _answer.Calls.Select((call, index) => (call, index)))
        {
            var block = new JsonObject
            {
                ["type"] = "tool_use",
                ["id"] = string.Create(CultureInfo.InvariantCulture, $"toolu_{Seed[24..46]}{index:00}"),
                ["name"] = call.Tool,
                ["input"] = Placeholders.Fill(call.Input, reply.Values),
            };
            if (_newest)
            {
                block["caller"] = new JsonObject { ["type"] = "direct" };
            }

            yield return block;
        }

        foreach (var block in Placeholders.Fill(_answer.Blocks, reply.Values)?.AsArray() ?? [])
        {
            yield return block!.DeepClone().AsObject();
        }
    }
}
