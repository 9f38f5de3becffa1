using Cove.Agent.Models;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Loop;

/// <summary>One finished answer of the model.</summary>
internal sealed record ModelTurn
{
    /// <summary>The answer, as it goes into the conversation.</summary>
    public required ChatMessage Message { get; init; }

    /// <summary>Why it ended, in the words of <see cref="StopReasons"/>.</summary>
    public required string StopReason { get; init; }

    /// <summary>What the provider added to that; null when nothing.</summary>
    public string? StopDetails { get; init; }

    /// <summary>The model that answered.</summary>
    public string? Model { get; init; }

    /// <summary>Its calls of tools, in order.</summary>
    public required IReadOnlyList<FunctionCallContent> Calls { get; init; }

    /// <summary>What it says, with the spaces at its ends: a paused answer goes on exactly there.</summary>
    public string Text => string.Concat(Message.Contents.OfType<TextContent>().Select(text => text.Text));
}

/// <summary>Gathers one answer out of its pieces.</summary>
internal sealed class TurnCollector
{
    private readonly List<AIContent> _contents = [];
    private ChatFinishReason? _finish;
    private string? _details;
    private WholeMessage? _whole;

    /// <summary>What was used so far, also of an answer that broke off.</summary>
    public TokenCount Tokens { get; private set; }

    /// <summary>Who answers; null until it says.</summary>
    public string? Model { get; private set; }

    public void Add(ChatResponseUpdate update)
    {
        _finish = update.FinishReason ?? _finish;
        Model = update.ModelId ?? Model;
        _whole = update.RawRepresentation as WholeMessage ?? _whole;
        _details = update.AdditionalProperties?.GetValueOrDefault(StopReasons.DetailsKey) as string ?? _details;
        foreach (var content in update.Contents)
        {
            Add(content);
        }
    }

    public ModelTurn Finish()
    {
        IReadOnlyList<FunctionCallContent> calls = [.. _contents.OfType<FunctionCallContent>().Where(call => !call.InformationalOnly)];
        return new ModelTurn
        {
            Message = new ChatMessage(ChatRole.Assistant, _contents) { RawRepresentation = _whole },
            StopReason = StopReasons.Of(_finish, calls.Count > 0),
            StopDetails = _details,
            Model = Model,
            Calls = calls,
        };
    }

    private void Add(AIContent content)
    {
        switch (content)
        {
            case UsageContent usage:
                Tokens += TokenCount.Of(usage.Details);
                break;
            case TextContent piece when _contents is [.., TextContent last] && piece.RawRepresentation is null:
                last.Text += piece.Text;
                break;
            case TextContent piece:
                _contents.Add(new TextContent(piece.Text) { Annotations = piece.Annotations });
                break;
            case TextReasoningContent piece when _contents is [.., TextReasoningContent { ProtectedData: null } last]:
                last.Text += piece.Text;
                last.ProtectedData = piece.ProtectedData;
                break;
            default:
                _contents.Add(content);
                break;
        }
    }
}

/// <summary>
/// A message as its provider wrote it. A client that must get it back unchanged puts it on the last update, and finds it on the message in the next request.
/// </summary>
internal sealed record WholeMessage(System.Text.Json.JsonElement Content);
