using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cove.Wire;

/// <summary>
/// Everything that crosses a wire, in one source-generated context: <c>snake_case</c> names, enums as text, units in the names, times in UTC.
/// Requests refuse fields they don't know (a misspelt limit must not be silently ignored); answers may gain fields that an older client skips.
/// </summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    AllowDuplicateProperties = false,
    AllowOutOfOrderMetadataProperties = true,
    Converters = [typeof(Rfc3339Converter)])]
[JsonSerializable(typeof(SandboxRequest))]
[JsonSerializable(typeof(SandboxInfo))]
[JsonSerializable(typeof(SandboxUsage))]
[JsonSerializable(typeof(RunRequest))]
[JsonSerializable(typeof(RunEvent))]
[JsonSerializable(typeof(RunResult))]
[JsonSerializable(typeof(RunError))]
[JsonSerializable(typeof(KernelInfo))]
[JsonSerializable(typeof(FileEntry))]
[JsonSerializable(typeof(TemplateInfo))]
[JsonSerializable(typeof(SandboxPage))]
[JsonSerializable(typeof(SandboxExtension))]
[JsonSerializable(typeof(SandboxEvent))]
[JsonSerializable(typeof(RunInfo))]
[JsonSerializable(typeof(FinishedRun))]
[JsonSerializable(typeof(RunList))]
[JsonSerializable(typeof(TerminalRequest))]
[JsonSerializable(typeof(TerminalMessage))]
[JsonSerializable(typeof(FileChange))]
[JsonSerializable(typeof(KernelList))]
[JsonSerializable(typeof(FileList))]
[JsonSerializable(typeof(TemplateList))]
[JsonSerializable(typeof(KernelRequest))]
[JsonSerializable(typeof(DirectoryRequest))]
[JsonSerializable(typeof(MoveRequest))]
[JsonSerializable(typeof(ToolResults))]
[JsonSerializable(typeof(WaitingRun))]
[JsonSerializable(typeof(EngineStatus))]
[JsonSerializable(typeof(Problem))]
public sealed partial class CoveJson : JsonSerializerContext
{
    /// <summary>
    /// The context to write with: text is escaped as JSON demands and no further, since nothing here is ever pasted into a page.
    /// (Escaping every <c>&lt;</c> and every non-ASCII letter would make tables and program output up to six times as long.)
    /// </summary>
    public static CoveJson Wire => field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
