using System.Text.Json;
using Cove.Agent.Loop;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Models;

/// <summary>Folds the events of one answer into updates. What is not known is passed over, as the API asks its clients to.</summary>
internal sealed class AnthropicStream
{
    /// <summary>No answer is this long; a server that goes on and on is not read to its end.</summary>
    private const long MaximumCharacters = 64 * 1024 * 1024;

    private const int MaximumBlocks = 10_000;

    private readonly SortedDictionary<int, AnthropicBlock> _blocks = [];
    private TokenCount _counted;
    private TokenCount _seen;
    private string? _model;
    private string? _id;
    private string? _stopReason;
    private string? _stopDetails;
    private long _characters;

    /// <summary>Whether the answer came to its end.</summary>
    public bool Ended { get; private set; }

    public IEnumerable<ChatResponseUpdate> Take(JsonElement next)
    {
        switch (Text(next, "type"))
        {
            case "message_start" when Object(next, "message") is { } message:
                (_model, _id) = (Text(message, "model"), Text(message, "id"));
                Count(message);
                return Usage();
            case "content_block_start" when Index(next) is { } index && Object(next, "content_block") is { } block:
                _blocks[index] = new AnthropicBlock(block.Clone());
                return Updates(_blocks[index].Begin());
            case "content_block_delta" when Index(next) is { } index && _blocks.TryGetValue(index, out var open) && Object(next, "delta") is { } delta:
                return Updates(open.Take(delta, Length));
            case "content_block_stop" when Index(next) is { } index && _blocks.TryGetValue(index, out var closed):
                return Updates(closed.End());
            case "message_delta":
                Stop(next);
                return Usage();
            case "message_stop":
                Ended = true;
                return [.. _blocks.Values.SelectMany(block => Updates(block.End())), Last()];
            default:
                return [];
        }
    }

    private void Stop(JsonElement next)
    {
        if (Object(next, "delta") is { } delta)
        {
            _stopReason = Text(delta, "stop_reason") ?? _stopReason;
            if (Object(delta, "stop_details") is { } details)
            {
                _stopDetails = string.Join(": ", new[] { Text(details, "category"), Text(details, "explanation") }.Where(text => !string.IsNullOrEmpty(text)));
            }
        }

        Count(next);
    }

    /// <summary>Numbers are those of the whole answer so far; a later event may leave some of them out.</summary>
    private void Count(JsonElement holder)
    {
        if (Object(holder, "usage") is { } usage)
        {
            _seen = new TokenCount(
                Number(usage, "input_tokens") ?? _seen.Input,
                Number(usage, "output_tokens") ?? _seen.Output,
                Number(usage, "cache_read_input_tokens") ?? _seen.CacheRead,
                Number(usage, "cache_creation_input_tokens") ?? _seen.CacheWrite);
        }
    }

    private IEnumerable<ChatResponseUpdate> Usage()
    {
        var more = _seen - _counted;
        _counted = _seen;
        return Updates(more == default ? [] : [new UsageContent(more.ToUsage())]);
    }

    private ChatResponseUpdate Last() => new(ChatRole.Assistant, [])
    {
        ModelId = _model,
        ResponseId = _id,
        MessageId = _id,
        FinishReason = StopReasons.ToFinishReason(_stopReason ?? StopReasons.EndTurn),
        AdditionalProperties = _stopDetails is { Length: > 0 } ? new() { [StopReasons.DetailsKey] = _stopDetails } : null,
        RawRepresentation = new WholeMessage(AnthropicBlock.Write(_blocks.Values)),
    };

    private IEnumerable<ChatResponseUpdate> Updates(IReadOnlyList<AIContent> contents) =>
        contents.Count == 0 ? [] : [new ChatResponseUpdate(ChatRole.Assistant, [.. contents]) { ModelId = _model, ResponseId = _id, MessageId = _id }];

    private void Length(int more)
    {
        _characters += more;
        if (_characters > MaximumCharacters)
        {
            throw ModelFailures.Make(ModelFailureKind.BadRequest, "The model's answer is longer than any answer may be.");
        }
    }

    private static int? Index(JsonElement json) => Number(json, "index") is { } index and >= 0 and < MaximumBlocks ? (int)index : null;

    internal static string? Text(JsonElement json, string name) => json.ValueKind is JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.String ? value.GetString() : null;

    internal static JsonElement? Object(JsonElement json, string name) => json.ValueKind is JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.Object ? value : null;

    private static long? Number(JsonElement json, string name) =>
        json.ValueKind is JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.Number && value.TryGetInt64(out var number) && number >= 0 ? number : null;
}
