using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Cove.Server.Frontends.Execute;

/// <summary>A call as the engine needs it.</summary>
internal sealed record ExecuteCall(string Code, Language Language, TimeSpan Timeout, SandboxId? Sandbox, bool Details, bool Images);

/// <summary>Between this protocol and Cove's own words. Pure.</summary>
internal static class ExecuteTranslation
{
    /// <summary>What is answered to everything that holds no code.</summary>
    public const string MissingCode = "Missing 'code' in request body.";

    public static readonly TimeSpan DefaultTimeout = TimeSpan.FromSeconds(30);
    public static readonly TimeSpan ShortestTimeout = TimeSpan.FromMilliseconds(100);
    public static readonly TimeSpan LongestTimeout = TimeSpan.FromHours(1);

    private const string Json = "$.";
    private static readonly string[] _richer = ["language", "timeout", "sandbox_id", "images"];

    /// <summary>Reads a body; the error says what is wrong with it.</summary>
    public static (ExecuteCall? Call, string Error) Read(JsonElement body, bool details)
    {
        if (body.ValueKind != JsonValueKind.Object || !body.TryGetProperty("code", out var code) || code.ValueKind != JsonValueKind.String)
        {
            return (null, MissingCode);
        }

        try
        {
            var request = body.Deserialize(ExecuteJson.Wire.ExecuteRequest)!;
            if (request.Timeout is { } seconds && !(double.IsFinite(seconds) && seconds > 0))
            {
                return (null, Wrong(body, "timeout"));
            }

            details |= request.Details ?? Array.Exists(_richer, field => body.TryGetProperty(field, out _));
            return (new ExecuteCall(request.Code, request.Language ?? Language.Python, Timeout(request.Timeout), request.SandboxId, details, request.Images ?? false), "");
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException)
        {
            // The latter: a string that is no text, such as half of a surrogate pair.
            var path = (failure as JsonException)?.Path ?? "";
            return (null, Array.Find<string>([.. _richer, "details"], field => path == Json + field) is { } field ? Wrong(body, field) : MissingCode);
        }
    }

    /// <summary>The sandbox of a call that named none: it outlives its run by a minute at most, should deleting it ever fail.</summary>
    public static SandboxRequest Fresh(ExecuteCall call) => new() { MaxLifetime = call.Timeout + TimeSpan.FromMinutes(1) };

    public static RunRequest Run(ExecuteCall call, string? correlation) => new() { Code = call.Code, Language = call.Language, Timeout = call.Timeout, CorrelationId = correlation };

    public static ExecuteAnswer Answer(ExecuteCall call, ExecuteOutput said, RunResult result, string? correlation)
    {
        var plain = new ExecuteAnswer
        {
            Error = said.Errors + (result.Outcome == RunOutcome.Ok ? "" : "\nExecution Error: " + Said(call, result)),
            Output = said.Output,
            Success = result.Outcome == RunOutcome.Ok,
        };
        return !call.Details ? plain : plain with
        {
            ErrorCategory = CategoryOf(result),
            Retryable = result.Error?.Retryable,
            Remediation = result.Error?.Remediation,
            Traceback = result.Error?.Evidence?.Traceback is { Length: > 0 } traceback ? traceback : null,
            ExitCode = result.ExitCode,
            ExecutionTime = Math.Round(result.Duration.TotalSeconds, 3),
            Timeout = call.Timeout.TotalSeconds,
            Result = said.Result,
            Images = call.Images ? said.Images : null,
            SandboxId = call.Sandbox,
            CorrelationId = correlation,
        };
    }

    public static ExecuteErrorCategory? CategoryOf(RunResult result) => result switch
    {
        { Outcome: RunOutcome.Ok } => null,
        { Outcome: RunOutcome.TimedOut } => ExecuteErrorCategory.TimeoutError,
        { Outcome: RunOutcome.OutOfMemory } => ExecuteErrorCategory.MemoryError,
        { Outcome: RunOutcome.OutputLimit } or { Error.Category: ErrorCategory.Limit } => ExecuteErrorCategory.ResourceError,
        { Outcome: RunOutcome.InfrastructureFailure } or { Error.Category: ErrorCategory.Infrastructure } => ExecuteErrorCategory.ApiError,
        { Outcome: RunOutcome.Interrupted } or { Error.Category: ErrorCategory.Caller } => ExecuteErrorCategory.InterruptedError,
        { Error.Evidence.ExceptionType: "SyntaxError" or "IndentationError" or "TabError" } => ExecuteErrorCategory.SyntaxError,
        { Error.Evidence.ExceptionType: "ModuleNotFoundError" or "ImportError" } => ExecuteErrorCategory.ImportError,
        _ => ExecuteErrorCategory.RuntimeError,
    };

    /// <summary>What follows <c>Execution Error: </c>: of an exception its own message, as <c>str(e)</c> has it.</summary>
    private static string Said(ExecuteCall call, RunResult result) => result switch
    {
        { Outcome: RunOutcome.TimedOut } => string.Create(CultureInfo.InvariantCulture, $"Execution timed out after {call.Timeout.TotalSeconds}s"),
        { Outcome: RunOutcome.GuestError, Error: { Category: ErrorCategory.Code, Evidence: { ExceptionType: { } type } evidence } } =>
            evidence.ExceptionMessage is { Length: > 0 } message ? message : type,
        { Error: { } error } => error.Message,
        _ => $"It ended as {result.Outcome}.",
    };

    private static TimeSpan Timeout(double? seconds) => seconds is null ? DefaultTimeout
        : TimeSpan.FromSeconds(Math.Clamp(seconds.Value, ShortestTimeout.TotalSeconds, LongestTimeout.TotalSeconds));

    private static string Wrong(JsonElement body, string field) => $"The field '{field}' is {Shown(body.GetProperty(field))}. " + field switch
    {
        "timeout" => "Give seconds, as a number above 0.",
        "language" => "Give \"python\", \"bash\" or \"javascript\".",
        "sandbox_id" => "Give the id that creating the sandbox returned: 1 to 40 characters of a-z and 0-9.",
        _ => "Give true or false.",
    };

    private static string Shown(JsonElement value)
    {
        var text = Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8Value(value)); // which takes bytes that are no text, too
        return text.Length <= 100 ? text : text[..100] + "…";
    }
}
