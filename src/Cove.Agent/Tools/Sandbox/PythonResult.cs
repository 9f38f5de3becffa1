using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Tools.Sandbox;

/// <summary>What <c>run_python</c> answers. What the code wrote stays inside its strings, so nothing it prints can pose as a field or an error of the tool.</summary>
internal sealed record PythonResult
{
    public required string Stdout { get; init; }

    public required string Stderr { get; init; }

    public required int ExitCode { get; init; }

    /// <summary>Seconds, measured outside the sandbox.</summary>
    public required double ExecutionTime { get; init; }

    /// <summary>The value of the last expression.</summary>
    public string? Result { get; init; }

    /// <summary>What was displayed on the way, as text.</summary>
    public string? Displayed { get; init; }

    /// <summary>How many pictures follow.</summary>
    public int? Images { get; init; }

    /// <summary>The files that were made or changed.</summary>
    public IReadOnlyList<string>? Files { get; init; }

    /// <summary>What else there is to know: what was cut, lost or brought to a bound.</summary>
    public IReadOnlyList<string>? Notices { get; init; }

    /// <summary>The result of a call: after an error this, after this the pictures.</summary>
    public static ToolResult Of(PythonResult result, ToolError? error, IReadOnlyList<AIContent> pictures, IReadOnlyList<ToolArtifact> artifacts)
    {
        var json = JsonSerializer.SerializeToElement(result, SandboxToolJson.Wire.PythonResult);
        AIContent[] content = [new TextContent(json.GetRawText()), .. pictures];
        return (error is null ? new ToolResult { Content = content } : ToolResult.Failed(error, content)) with { Structured = json, Artifacts = artifacts };
    }
}

/// <summary>How results of a sandbox's tools are written: escaped as JSON demands and no further, because models pay by the character.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(PythonResult))]
internal sealed partial class SandboxToolJson : JsonSerializerContext
{
    public static SandboxToolJson Wire => field ??= new(ModelJson.Relaxed(Default));
}
