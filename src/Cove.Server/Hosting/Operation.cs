using System.Text.Json.Serialization;
using Cove.Wire;

namespace Cove.Server.Hosting;

/// <summary>What a route does. Written once, beside the route: access is checked by it, and the OpenAPI description is made of it.</summary>
/// <param name="Id">Its <c>operationId</c>: camelCase, unique.</param>
/// <param name="Summary">What it does, in a sentence.</param>
internal sealed record Operation(string Id, string Summary)
{
    /// <summary>What the caller's key must allow.</summary>
    public required Scopes Needs { get; init; }

    /// <summary>Whether it begins something new, which a server that is stopping must refuse. Default no.</summary>
    public bool Starts { get; init; }

    /// <summary>Whether it may go on for as long as the caller listens without anything being in progress; a server that is stopping does not wait for it. Default no.</summary>
    public bool Endless { get; init; }

    /// <summary>Whether it is a declared tool's own route, which is described where that tool is. Default no.</summary>
    public bool IsDeclared { get; init; }

    /// <summary>More about it, where the sentence does not say all.</summary>
    public string? Description { get; init; }

    /// <summary>The type of its JSON body; null when it takes none.</summary>
    public Type? Body { get; init; }

    /// <summary>The media type of a body that is not JSON.</summary>
    public string? RawBody { get; init; }

    /// <summary>Its query parameters.</summary>
    public IReadOnlyList<Parameter> Query { get; init; } = [];

    /// <summary>Its request headers beyond the usual.</summary>
    public IReadOnlyList<Parameter> Headers { get; init; } = [];

    /// <summary>The status of success. Default 200.</summary>
    public int Status { get; init; } = 200;

    /// <summary>The type of its answer; null when it has no body, or one that is not JSON.</summary>
    public Type? Answer { get; init; }

    /// <summary>The media types of its answer. Default JSON alone.</summary>
    public IReadOnlyList<string> AnswerTypes { get; init; } = ["application/json"];

    /// <summary>The type of its answer as one JSON object, where its other media types stream many of <see cref="Answer"/>. Default: the same.</summary>
    public Type? Whole { get; init; }

    /// <summary>Answers with a shape of their own beside success and the problem that every route may answer.</summary>
    public IReadOnlyList<OtherAnswer> OtherAnswers { get; init; } = [];

    /// <summary>Writes a refusal's body, for an error and its status, where the route has a form of its own for them. Default: the problem alone.</summary>
    public Func<RunError, int, byte[]>? Refusal { get; init; }

    /// <summary>The context that holds the types named here. Default: what all of Cove shares.</summary>
    public JsonSerializerContext Json { get; init; } = CoveJson.Wire;
}

/// <summary>An answer with a status of its own.</summary>
/// <param name="Status">The status.</param>
/// <param name="Description">When it is given.</param>
/// <param name="Answer">The type of its JSON body; null when it has none.</param>
/// <param name="MediaType">The body's media type.</param>
internal sealed record OtherAnswer(int Status, string Description, Type? Answer = null, string MediaType = "application/json");

/// <summary>A parameter in the query or a header.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">What it means, with unit, default and range.</param>
/// <param name="Type">Its JSON schema type.</param>
/// <param name="Required">Whether it must be given.</param>
internal sealed record Parameter(string Name, string Description, string Type = "string", bool Required = false)
{
    private const string AnyKey = ".KEY";

    /// <summary>Whether a request's parameter of this name is it; a name that ends in <c>.KEY</c> stands for all that begin so.</summary>
    public bool Takes(string name) => Name.EndsWith(AnyKey, StringComparison.Ordinal)
        ? name.StartsWith(Name[..^3], StringComparison.Ordinal)
        : Name.Equals(name, StringComparison.OrdinalIgnoreCase);
}
