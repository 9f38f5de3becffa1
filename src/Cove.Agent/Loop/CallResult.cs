using System.Text;
using System.Text.Json;
using Cove.Agent.Tools;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Loop;

/// <summary>A call's result as it goes to the model.</summary>
internal static class CallResult
{
    /// <summary>The result in the form every client understands; an error is marked as one.</summary>
    public static FunctionResultContent Of(string callId, ToolResult result, int maximum)
    {
        var contents = Bounded(result.Content, maximum);
        return new FunctionResultContent(callId, contents is [] ? "" : contents is [TextContent only] ? only.Text : contents)
        {
            Exception = result.Error is { } error ? new CallFailure(error) : null,
        };
    }

    /// <summary>What a tool that is not ours returned, as a result.</summary>
    public static ToolResult From(object? value) => value switch
    {
        null => ToolResult.Of(""),
        ToolResult result => result,
        string text => ToolResult.Of(text),
        TextContent text => ToolResult.Of(text.Text),
        AIContent content => new ToolResult { Content = [content] },
        IEnumerable<AIContent> contents => new ToolResult { Content = [.. contents] },
        JsonElement { ValueKind: JsonValueKind.String } json => ToolResult.Of(json.GetString()!),
        JsonElement json => new ToolResult { Content = [new TextContent(ModelJson.Of(json))], Structured = json },
        _ => ToolResult.Of(ModelJson.Of(value)),
    };

    private static List<AIContent> Bounded(IReadOnlyList<AIContent> contents, int maximum)
    {
        var bounded = new List<AIContent>();
        foreach (var content in contents)
        {
            bounded.Add(content is TextContent { Text: { } text } && text.Length > maximum ? new TextContent(Cut(text, maximum)) : content);
        }

        return bounded;
    }

    private static string Cut(string text, int maximum)
    {
        var (head, tail) = (maximum * 2 / 3, maximum / 3);
        head -= char.IsHighSurrogate(text[head - 1]) ? 1 : 0;
        tail -= char.IsLowSurrogate(text[^tail]) ? 1 : 0;
        return new StringBuilder().Append(text, 0, head)
            .Append($"\n[… {text.Length - head - tail} characters left out …]\n")
            .Append(text, text.Length - tail, tail).ToString();
    }
}

/// <summary>Marks a result as an error for clients that look for an exception; nobody throws it.</summary>
internal sealed class CallFailure(ToolError error) : Exception(error.Context)
{
    public ToolError Error { get; } = error;
}
