using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Tools;

/// <summary>What a call came to.</summary>
public sealed record ToolResult
{
    /// <summary>What the model reads and sees: text, and pictures as <see cref="DataContent"/>. With an error it begins with the error as JSON, or, where a model is trained on certain words, with these and then the error.</summary>
    public required IReadOnlyList<AIContent> Content { get; init; }

    /// <summary>The same as one JSON value, for callers that read results by program; null when the tool has none.</summary>
    public JsonElement? Structured { get; init; }

    /// <summary>What went wrong; null when nothing did.</summary>
    public ToolError? Error { get; init; }

    /// <summary>Files the call made or changed, that are worth showing.</summary>
    public IReadOnlyList<ToolArtifact> Artifacts { get; init; } = [];

    /// <summary>A result that is a text.</summary>
    public static ToolResult Of(string text) => new() { Content = [new TextContent(text)] };

    /// <summary>A failure. The model reads the error as JSON, then what else there is.</summary>
    public static ToolResult Failed(ToolError error, params IEnumerable<AIContent> more) => new() { Error = error, Content = [new TextContent(error.ToJson()), .. more] };

    /// <summary>The shape any .NET agent understands.</summary>
    internal object ForAnyAgent() => Structured is { } value ? value : Content is [TextContent only] ? only.Text : Content;
}

/// <summary>A file a tool made.</summary>
/// <param name="Path">Where it is in the sandbox.</param>
/// <param name="MediaType">What it is, for example <c>image/png</c>.</param>
/// <param name="SizeBytes">How big it is; null when it is not known.</param>
public sealed record ToolArtifact(string Path, string MediaType, long? SizeBytes = null);
