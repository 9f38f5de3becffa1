using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cove.Server.Frontends.Execute;

/// <summary>What <c>POST /execute</c> takes. Only <c>code</c> is needed; fields it does not know are ignored, as this protocol always did.</summary>
internal sealed record ExecuteRequest
{
    /// <summary>The code to execute. At most 900,000 bytes of UTF-8.</summary>
    public required string Code { get; init; }

    /// <summary>Its language. Default Python.</summary>
    public Language? Language { get; init; }

    /// <summary>Wall time after which the run is stopped, in seconds. Default 30; what is outside 0.1 to 3,600 is brought to the nearer bound.</summary>
    public double? Timeout { get; init; }

    /// <summary>A sandbox of the caller's own to run in, whose variables and files stay. Default: a fresh one, deleted afterwards.</summary>
    public SandboxId? SandboxId { get; init; }

    /// <summary>Whether the answer says more than output, error and success. Default: when any field beside <c>code</c> is given.</summary>
    public bool? Details { get; init; }

    /// <summary>Whether images that the code showed or left open are returned. Default no.</summary>
    public bool? Images { get; init; }
}

/// <summary>How code went. Whoever sends <c>code</c> alone gets <c>error</c>, <c>output</c> and <c>success</c>, and nothing else.</summary>
internal sealed record ExecuteAnswer
{
    /// <summary>What the code wrote to standard error, and after a failure a line that begins with <c>Execution Error: </c>.</summary>
    public required string Error { get; init; }

    /// <summary>What the code wrote to standard output. The value of its last expression is not part of it.</summary>
    public required string Output { get; init; }

    /// <summary>True if the code ended without an uncaught exception and with the exit code 0.</summary>
    public required bool Success { get; init; }

    /// <summary>What kind of error it was; absent after success.</summary>
    public ExecuteErrorCategory? ErrorCategory { get; init; }

    /// <summary>Whether the same code may succeed when it is sent again unchanged; absent after success.</summary>
    public bool? Retryable { get; init; }

    /// <summary>What to do about the error; absent after success.</summary>
    public string? Remediation { get; init; }

    /// <summary>The frames of the code itself with their lines, when an exception ended it.</summary>
    public string? Traceback { get; init; }

    /// <summary>0 after success, 1 after an exception, what the code passed to <c>exit</c>, 124 when the time was over, 128 plus the signal when one ended it.</summary>
    public int? ExitCode { get; init; }

    /// <summary>Wall time in seconds, measured outside the sandbox.</summary>
    public double? ExecutionTime { get; init; }

    /// <summary>The time limit that held, in seconds.</summary>
    public double? Timeout { get; init; }

    /// <summary>The value of the last expression as text, when it had one.</summary>
    public string? Result { get; init; }

    /// <summary>The images, when they were asked for.</summary>
    public IReadOnlyList<ExecuteImage>? Images { get; init; }

    /// <summary>The sandbox it ran in, when the request named one.</summary>
    public SandboxId? SandboxId { get; init; }

    /// <summary>The id under which logs know this call; also in the <c>X-Correlation-Id</c> header.</summary>
    public string? CorrelationId { get; init; }
}

/// <summary>An image the code showed.</summary>
/// <param name="Type">Its media type.</param>
/// <param name="Data">Its bytes in base64; SVG as text.</param>
internal sealed record ExecuteImage(string Type, string Data);

/// <summary>Why a call was not carried out.</summary>
/// <param name="Error">What is wrong with it.</param>
internal sealed record ExecuteRefusal(string Error);

/// <summary>Kinds of errors, in this protocol's words. Each is the name a program would give such an exception.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ExecuteErrorCategory>))]
internal enum ExecuteErrorCategory
{
    /// <summary>The code can't be read; nothing of it ran.</summary>
    SyntaxError,

    /// <summary>A package that is not installed was imported.</summary>
    ImportError,

    /// <summary>The code raised, or left with an exit code.</summary>
    RuntimeError,

    /// <summary>The time was over.</summary>
    TimeoutError,

    /// <summary>The memory limit was reached.</summary>
    MemoryError,

    /// <summary>Another limit was reached: output, processes, disk, open files.</summary>
    ResourceError,

    /// <summary>It was stopped from outside.</summary>
    InterruptedError,

    /// <summary>The service failed, not the code.</summary>
    [JsonStringEnumMemberName("APIError")]
    ApiError,
}

/// <summary>The JSON of this front-end.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(ExecuteRequest))]
[JsonSerializable(typeof(ExecuteAnswer))]
[JsonSerializable(typeof(ExecuteRefusal))]
internal sealed partial class ExecuteJson : JsonSerializerContext
{
    /// <summary>The context to write with: escaped as JSON demands and no further.</summary>
    public static ExecuteJson Wire => field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
