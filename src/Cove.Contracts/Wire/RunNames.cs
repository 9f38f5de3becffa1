using System.Text.Json;

namespace Cove.Wire;

/// <summary>The names that <see cref="RunWriter"/> writes, escaped once: to look at each of them every time takes longer than to write it.</summary>
internal static class RunNames
{
    public static readonly JsonEncodedText Backend = JsonEncodedText.Encode("backend");
    public static readonly JsonEncodedText Code = JsonEncodedText.Encode("code");
    public static readonly JsonEncodedText Completed = JsonEncodedText.Encode("completed");
    public static readonly JsonEncodedText CorrelationId = JsonEncodedText.Encode("correlation_id");
    public static readonly JsonEncodedText CpuThrottledMs = JsonEncodedText.Encode("cpu_throttled_ms");
    public static readonly JsonEncodedText Data = JsonEncodedText.Encode("data");
    public static readonly JsonEncodedText Degraded = JsonEncodedText.Encode("degraded");
    public static readonly JsonEncodedText Display = JsonEncodedText.Encode("display");
    public static readonly JsonEncodedText Displays = JsonEncodedText.Encode("displays");
    public static readonly JsonEncodedText DurationMs = JsonEncodedText.Encode("duration_ms");
    public static readonly JsonEncodedText Error = JsonEncodedText.Encode("error");
    public static readonly JsonEncodedText ExitCode = JsonEncodedText.Encode("exit_code");
    public static readonly JsonEncodedText IsResult = JsonEncodedText.Encode("is_result");
    public static readonly JsonEncodedText Isolation = JsonEncodedText.Encode("isolation");
    public static readonly JsonEncodedText Kernel = JsonEncodedText.Encode("kernel");
    public static readonly JsonEncodedText Message = JsonEncodedText.Encode("message");
    public static readonly JsonEncodedText Notice = JsonEncodedText.Encode("notice");
    public static readonly JsonEncodedText Notices = JsonEncodedText.Encode("notices");
    public static readonly JsonEncodedText Outcome = JsonEncodedText.Encode("outcome");
    public static readonly JsonEncodedText Output = JsonEncodedText.Encode("output");
    public static readonly JsonEncodedText PeakMemoryBytes = JsonEncodedText.Encode("peak_memory_bytes");
    public static readonly JsonEncodedText Privilege = JsonEncodedText.Encode("privilege");
    public static readonly JsonEncodedText Result = JsonEncodedText.Encode("result");
    public static readonly JsonEncodedText Run = JsonEncodedText.Encode("run");
    public static readonly JsonEncodedText Sandbox = JsonEncodedText.Encode("sandbox");
    public static readonly JsonEncodedText Sequence = JsonEncodedText.Encode("sequence");
    public static readonly JsonEncodedText Started = JsonEncodedText.Encode("started");
    public static readonly JsonEncodedText StateLost = JsonEncodedText.Encode("state_lost");
    public static readonly JsonEncodedText Stderr = JsonEncodedText.Encode("stderr");
    public static readonly JsonEncodedText StderrBytes = JsonEncodedText.Encode("stderr_bytes");
    public static readonly JsonEncodedText Stdout = JsonEncodedText.Encode("stdout");
    public static readonly JsonEncodedText StdoutBytes = JsonEncodedText.Encode("stdout_bytes");
    public static readonly JsonEncodedText Stream = JsonEncodedText.Encode("stream");
    public static readonly JsonEncodedText Text = JsonEncodedText.Encode("text");
    public static readonly JsonEncodedText Time = JsonEncodedText.Encode("time");
    public static readonly JsonEncodedText ToolAnswered = JsonEncodedText.Encode("tool_answered");
    public static readonly JsonEncodedText ToolCall = JsonEncodedText.Encode("tool_call");
    public static readonly JsonEncodedText ToolCalls = JsonEncodedText.Encode("tool_calls");
    public static readonly JsonEncodedText ToolWaitMs = JsonEncodedText.Encode("tool_wait_ms");
    public static readonly JsonEncodedText Type = JsonEncodedText.Encode("type");

    private static readonly JsonEncodedText[] _outcomes =
        [.. Enum.GetValues<RunOutcome>().Select(static outcome => JsonEncodedText.Encode(JsonNamingPolicy.SnakeCaseLower.ConvertName(outcome.ToString())))];

    /// <summary>What an event is called, as its type and as the name of a server-sent event.</summary>
    public static JsonEncodedText Of(RunEvent next) => next switch
    {
        RunStarted => Started,
        RunOutput => Output,
        RunDisplay => Display,
        RunNotice => Notice,
        RunCompleted => Completed,
        RunToolCall => ToolCall,
        RunToolAnswered => ToolAnswered,
        _ => throw new ArgumentException($"A {next.GetType().Name} has no name.", nameof(next)),
    };

    public static JsonEncodedText Of(RunOutcome outcome) => _outcomes[(int)outcome];
}
