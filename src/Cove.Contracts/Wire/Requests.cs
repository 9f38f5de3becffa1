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
