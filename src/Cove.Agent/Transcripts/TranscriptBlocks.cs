using System.Text.Json;
using Cove.Agent.Loop;
using Cove.Agent.Tools;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Transcripts;

/// <summary>Messages as lines hold them.</summary>
internal static class TranscriptBlocks
{
    public static IReadOnlyList<TranscriptBlock> Of(ChatMessage message) => [.. message.Contents.Select(Of).OfType<TranscriptBlock>()];

    private static TranscriptBlock? Of(AIContent content) => content switch
    {
        TextContent { Text: { } text } => new TranscriptBlock { Type = "text", Text = text },
        TextReasoningContent { Text: { Length: > 0 } text } => new TranscriptBlock { Type = "reasoning", Text = text },
        FunctionCallContent call => new TranscriptBlock { Type = "tool_use", Id = call.CallId, Name = call.Name, Input = call.Arguments is { } input ? ToolInput.From(input) : null },
        FunctionResultContent result => new TranscriptBlock
        {
            Type = "tool_result",
            Id = result.CallId,
            IsError = result.Exception is null ? null : true,
            Content = [.. CallResult.From(result.Result).Content.Select(Of).OfType<TranscriptBlock>()],
        },
        DataContent data => new TranscriptBlock { Type = "data", MediaType = data.MediaType, SizeBytes = data.Data.Length },
        { RawRepresentation: JsonElement { ValueKind: JsonValueKind.Object } raw } => new TranscriptBlock { Type = "block", Input = raw },
        _ => null,
    };
}
