using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Cove.Agent.Tools;

namespace Cove.Server.Tools.Declared;

/// <summary>What a declared tool answers when it succeeded: this, and the fields that its declaration picks; or <c>result</c> with all there is.</summary>
internal sealed record ToolAnswer
{
    /// <summary>True.</summary>
    public required bool Success { get; init; }
}

/// <summary>Why a declared tool did not do what it was asked to: the fields of a problem (RFC 9457) beside <c>success</c> and <c>error</c>.</summary>
internal sealed record ToolRefusal
{
    /// <summary>False.</summary>
    public bool Success { get; init; }

    /// <summary>What happened, in a sentence. What the other side said is quoted in it as data.</summary>
    public required string Error { get; init; }

    /// <summary>Names the kind of problem; <c>urn:cove:error:</c> and the code.</summary>
    public required string Type { get; init; }

    /// <summary>The code, as words.</summary>
    public required string Title { get; init; }

    /// <summary>The HTTP status.</summary>
    public required int Status { get; init; }

    /// <summary>The same as the error.</summary>
    public required string Detail { get; init; }

    /// <summary>A machine's name for it.</summary>
    public required string Code { get; init; }

    /// <summary>Whose turn it is.</summary>
    public required ErrorCategory Category { get; init; }

    /// <summary>What kind of failure, in the words that models are told.</summary>
    public required ToolErrorCategory ErrorCategory { get; init; }

    /// <summary>Whether another try can succeed: of the same, or of corrected input when the category is <c>input</c>.</summary>
    public required bool Retryable { get; init; }

    /// <summary>What to do about it.</summary>
    public required string Remediation { get; init; }

    /// <inheritdoc cref="RunError.Evidence"/>
    public ErrorEvidence? Evidence { get; init; }

    /// <summary>The status of the other side; absent when it gave no answer.</summary>
    public int? UpstreamStatus { get; init; }
}

/// <summary>The JSON of declared tools.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(ToolAnswer))]
[JsonSerializable(typeof(ToolRefusal))]
[JsonSerializable(typeof(JsonObject))]
internal sealed partial class DeclaredJson : JsonSerializerContext
{
    /// <summary>The context to write with: escaped as JSON demands and no further.</summary>
    public static DeclaredJson Wire => field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
