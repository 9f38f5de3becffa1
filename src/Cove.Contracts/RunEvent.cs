using System.Text.Json.Serialization;

namespace Cove;

/// <summary>Something that happened in a run. The set is closed; a run's last event is always <see cref="RunCompleted"/>, and there is exactly one.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(RunStarted), "started")]
[JsonDerivedType(typeof(RunOutput), "output")]
[JsonDerivedType(typeof(RunDisplay), "display")]
[JsonDerivedType(typeof(RunNotice), "notice")]
[JsonDerivedType(typeof(RunToolCall), "tool_call")]
[JsonDerivedType(typeof(RunToolAnswered), "tool_answered")]
[JsonDerivedType(typeof(RunCompleted), "completed")]
public abstract record RunEvent
{
    /// <summary>Its place in the run, from 1 without gaps.</summary>
    public required long Sequence { get; init; }

    /// <summary>When the engine saw it.</summary>
    public required DateTimeOffset Time { get; init; }
}

/// <summary>The run was accepted and is about to start.</summary>
public sealed record RunStarted : RunEvent
{
    /// <summary>The run's id.</summary>
    public required RunId Run { get; init; }

    /// <summary>The sandbox it runs in.</summary>
    public required SandboxId Sandbox { get; init; }

    /// <summary>The kernel it runs in; null for a command.</summary>
    public string? Kernel { get; init; }

    /// <summary>The correlation id it was asked for with; null when there was none.</summary>
    public string? CorrelationId { get; init; }
}

/// <summary>Where output was written.</summary>
[JsonConverter(typeof(SnakeCaseEnumConverter<OutputStream>))]
public enum OutputStream
{
    /// <summary>Standard output.</summary>
    Stdout,

    /// <summary>Standard error.</summary>
    Stderr,
}

/// <summary>Text the guest wrote. UTF-8 is decoded incrementally; what is no UTF-8 becomes U+FFFD.</summary>
public sealed record RunOutput : RunEvent
{
    /// <summary>Where it was written.</summary>
    public required OutputStream Stream { get; init; }

    /// <summary>The text.</summary>
    public required string Text { get; init; }
}

/// <summary>A rich value: a figure, a table, or the value of the last expression.</summary>
public sealed record RunDisplay : RunEvent
{
    /// <summary>Whether it is the value of the last expression rather than something shown on the way.</summary>
    public required bool IsResult { get; init; }

    /// <summary>MIME type to content; binary types in base64.</summary>
    public required IReadOnlyDictionary<string, string> Data { get; init; }
}

/// <summary>Something the caller should know that is neither output nor the end.</summary>
public sealed record RunNotice : RunEvent
{
    /// <summary>A stable name, for example <c>output_cut</c>, <c>state_lost</c>.</summary>
    public required string Code { get; init; }

    /// <summary>The same for a reader.</summary>
    public required string Message { get; init; }
}

/// <summary>The code called one of the run's tools and waits for <see cref="ICove.AnswerToolCallAsync"/>.</summary>
public sealed record RunToolCall : RunEvent
{
    /// <inheritdoc cref="PendingToolCall.CallId"/>
    public required string CallId { get; init; }

    /// <inheritdoc cref="PendingToolCall.Name"/>
    public required string Name { get; init; }

    /// <inheritdoc cref="PendingToolCall.Arguments"/>
    public required System.Text.Json.JsonElement Arguments { get; init; }
}

/// <summary>A tool call has its answer, or will have none. A result is not told again; it went to the guest.</summary>
public sealed record RunToolAnswered : RunEvent
{
    /// <inheritdoc cref="PendingToolCall.CallId"/>
    public required string CallId { get; init; }

    /// <summary>Why it failed; null when it has a result.</summary>
    public HostFailure? Error { get; init; }

    /// <summary>How long it waited.</summary>
    [JsonPropertyName("waited_ms"), JsonConverter(typeof(MillisecondsConverter))]
    public required TimeSpan Waited { get; init; }
}

/// <summary>The end of a run.</summary>
public sealed record RunCompleted : RunEvent
{
    /// <summary>How it ended and what is known about it.</summary>
    public required RunResult Result { get; init; }
}
