using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cove.Server.Frontends.Mcp;

/// <summary>A message of the Model Context Protocol: JSON-RPC 2.0.</summary>
internal sealed record McpMessage
{
    /// <summary>Always <c>2.0</c>.</summary>
    public required string Jsonrpc { get; init; }

    /// <summary>A request's id, text or a whole number; absent in a notification.</summary>
    public JsonElement? Id { get; init; }

    /// <summary>What is asked for, such as <c>tools/call</c>.</summary>
    public string? Method { get; init; }

    /// <summary>With what.</summary>
    public JsonElement? Params { get; init; }

    /// <summary>In an answer: what came of it.</summary>
    public JsonElement? Result { get; init; }

    /// <summary>In an answer: why nothing came of it.</summary>
    public JsonElement? Error { get; init; }
}

/// <summary>
/// The JSON of this front-end. Nothing is left out because it is null: a host validates structured content against the schema that
/// says which members there are, and the schema is made of these very types.
/// </summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true, AllowDuplicateProperties = false)]
[JsonSerializable(typeof(McpMessage))]
[JsonSerializable(typeof(Tools.FailedAnswer))]
[JsonSerializable(typeof(Tools.CreateSandboxInput))]
[JsonSerializable(typeof(Tools.SandboxAnswer))]
[JsonSerializable(typeof(Tools.SandboxInput))]
[JsonSerializable(typeof(Tools.ClosedAnswer))]
[JsonSerializable(typeof(Tools.ListSandboxesInput))]
[JsonSerializable(typeof(Tools.SandboxListAnswer))]
[JsonSerializable(typeof(Tools.RunCodeInput))]
[JsonSerializable(typeof(Tools.RunCommandInput))]
[JsonSerializable(typeof(Tools.RunAnswer))]
[JsonSerializable(typeof(Tools.ReadFileInput))]
[JsonSerializable(typeof(Tools.ReadFileAnswer))]
[JsonSerializable(typeof(Tools.WriteFileInput))]
[JsonSerializable(typeof(Tools.WrittenAnswer))]
[JsonSerializable(typeof(Tools.ListFilesInput))]
[JsonSerializable(typeof(Tools.FileListAnswer))]
internal sealed partial class McpJson : JsonSerializerContext
{
    /// <summary>The context to write with: escaped as JSON demands and no further.</summary>
    public static McpJson Wire => field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
