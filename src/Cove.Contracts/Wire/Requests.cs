using System.Text.Json.Serialization;

namespace Cove.Wire;

/// <summary>Asks for a kernel.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record KernelRequest
{
    /// <summary>Its name.</summary>
    public required string Id { get; init; }

    /// <summary>Its language.</summary>
    public required Language Language { get; init; }
}

/// <summary>Asks for a directory.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record DirectoryRequest
{
    /// <summary>Its path in the sandbox.</summary>
    public required string Path { get; init; }
}

/// <summary>Asks to move a file or directory.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record MoveRequest
{
    /// <summary>Where it is.</summary>
    public required string From { get; init; }

    /// <summary>Where it shall be.</summary>
    public required string To { get; init; }

    /// <summary>Whether what is there is replaced. Default no.</summary>
    public bool Overwrite { get; init; }
}

/// <summary>Answers tool calls of a run.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ToolResults
{
    /// <summary>The answers, 1 to 128; taken in their order up to the first that is refused.</summary>
    public required IReadOnlyList<ToolCallAnswer> Results { get; init; }
}

/// <summary>The answer of one tool call. Exactly one of <see cref="Result"/> and <see cref="Error"/> is given.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ToolCallAnswer
{
    /// <summary>The call's id.</summary>
    public required string CallId { get; init; }

    /// <inheritdoc cref="HostAnswer.Result"/>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public System.Text.Json.JsonElement Result { get; init; }

    /// <inheritdoc cref="HostAnswer.Error"/>
    public HostFailure? Error { get; init; }
}
