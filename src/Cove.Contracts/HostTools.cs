using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cove;

/// <summary>A tool of the caller's that code in a Python kernel can call as <c>await tools.name(...)</c> while its run is in progress.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record HostTool
{
    /// <summary>
    /// Its name: a letter or <c>_</c>, then up to 63 letters, digits, <c>_</c> and <c>-</c>; not beginning with two underscores. Python sees <c>-</c> as
    /// <c>_</c>, and a keyword with <c>_</c> behind it; two tools that would so have one name are refused.
    /// </summary>
    public required string Name { get; init; }

    /// <summary>Whether a text can be a tool's name.</summary>
    public static bool IsName(string? name) => name is { Length: >= 1 and <= 64 } && !char.IsAsciiDigit(name[0]) && name[0] != '-'
        && !name.StartsWith("__", StringComparison.Ordinal) && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-');

    /// <summary>What it does, for who reads <c>help(tools.name)</c>. At most 16 KiB. Default: nothing.</summary>
    public string? Description { get; init; }

    /// <summary>The JSON Schema of its arguments: an object schema, from which Python's signature is made. At most 64 KiB. Default: no arguments.</summary>
    public JsonElement? InputSchema { get; init; }
}

/// <summary>A call that waits for its answer.</summary>
public sealed record PendingToolCall
{
    /// <summary>Its id, unique in its run; what <see cref="ICove.AnswerToolCallAsync"/> takes.</summary>
    public required string CallId { get; init; }

    /// <summary>The name of the tool, as declared.</summary>
    public required string Name { get; init; }

    /// <summary>The arguments: a JSON object of at most 256 KiB. The guest's words: check them against the schema before acting on them.</summary>
    public required JsonElement Arguments { get; init; }
}

/// <summary>What a tool call came to. Either <see cref="Result"/> or <see cref="Error"/> is set.</summary>
public sealed record HostAnswer
{
    /// <summary>The value that <c>await</c> yields: any JSON, also null. At most 1,000,000 bytes; put more into a file.</summary>
    public JsonElement Result { get; init; }

    /// <summary>Why there is none; Python sees a <c>ToolCallError</c>.</summary>
    public HostFailure? Error { get; init; }

    /// <summary>An answer that is a value.</summary>
    public static HostAnswer Of(JsonElement result) => new() { Result = result };

    /// <summary>An answer that is a failure.</summary>
    public static HostAnswer Failed(string category, string message, bool retryable = false) =>
        new() { Error = new HostFailure { Category = category, Message = message, Retryable = retryable } };
}

/// <summary>Why a tool call failed, as Python sees it.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record HostFailure
{
    /// <summary>What kind of failure: 1 to 40 characters of <c>a-z_</c>, for example <c>input</c>, <c>policy</c>, <c>timeout</c>, <c>budget</c>, <c>unavailable</c>. Default <c>unavailable</c>.</summary>
    public string? Category { get; init; }

    /// <summary>What happened and what to do about it. At most 64 KiB. It is shown to the guest: nothing secret belongs into it.</summary>
    public required string Message { get; init; }

    /// <summary>Whether the same call may succeed when repeated. Default no.</summary>
    public bool Retryable { get; init; }
}
