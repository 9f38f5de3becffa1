using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using ModelContextProtocol.Protocol;

namespace Cove.Server.Frontends.Mcp.Tools;

/// <summary>Why a call came to nothing.</summary>
internal sealed record FailedAnswer
{
    [Description("What went wrong.")]
    public required ErrorAnswer Error { get; init; }
}

/// <summary>An error a model can act on.</summary>
internal sealed record ErrorAnswer
{
    [Description("A stable name, for example wall_time_exceeded.")]
    public required string Code { get; init; }

    [Description("Whose doing: code (fix the code), limit, request (fix the named field), not_found, conflict, caller, infrastructure.")]
    public required ErrorCategory Category { get; init; }

    [Description("Whether the same call may succeed when it is repeated unchanged.")]
    public required bool Retryable { get; init; }

    [Description("What happened.")]
    public required string Message { get; init; }

    [Description("What to do about it.")]
    public required string Remediation { get; init; }

    public static ErrorAnswer From(RunError error) => new() { Code = error.Code, Category = error.Category, Retryable = error.Retryable, Message = error.Message, Remediation = error.Remediation };
}

/// <summary>Results of tools: everything is in the structured content, and the same again as text, because hosts show one or the other.</summary>
internal static class McpResult
{
    public static CallToolResult Of<T>(T value, JsonTypeInfo<T> type, params IEnumerable<ContentBlock> more)
    {
        var structured = JsonSerializer.SerializeToElement(value, type);
        return new CallToolResult { StructuredContent = structured, Content = [new TextContentBlock { Text = JsonSerializer.Serialize(value, type) }, .. more] };
    }

    /// <summary>An error: of the caller's input, of a limit, or of ours. A program that fails is none.</summary>
    public static CallToolResult Failed(RunError error)
    {
        var result = Of(new FailedAnswer { Error = ErrorAnswer.From(error) }, McpJson.Wire.FailedAnswer);
        result.IsError = true;
        return result;
    }
}
