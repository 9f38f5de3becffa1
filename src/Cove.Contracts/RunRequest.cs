using System.Text.Json.Serialization;

namespace Cove;

/// <summary>One submission of code to a kernel, or of a command. Exactly one of <see cref="Code"/>, <see cref="Argv"/> and <see cref="ShellLine"/> is set.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record RunRequest
{
    /// <summary>Code for a kernel. At most 900,000 bytes of UTF-8 (it travels in one frame).</summary>
    public string? Code { get; init; }

    /// <summary>The code's language. Default Python. Ignored for commands.</summary>
    public Language Language { get; init; } = Language.Python;

    /// <summary>The kernel to run in; created on demand. Default: the language's default kernel. 1 to 40 characters of <c>a-z0-9-</c>.</summary>
    public string? Kernel { get; init; }

    /// <summary>A command as an argument vector; no shell reads it.</summary>
    public IReadOnlyList<string>? Argv { get; init; }

    /// <summary>A command as a line for <c>/bin/bash -c</c>.</summary>
    public string? ShellLine { get; init; }

    /// <summary>Working directory of a command. Default <c>/workspace</c>.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Environment variables added for a command.</summary>
    public IReadOnlyDictionary<string, string>? Environment { get; init; }

    /// <summary>What a command reads on its standard input; at its end the input is closed. Default: empty.</summary>
    [JsonPropertyName("stdin_base64")]
    public ReadOnlyMemory<byte>? Stdin { get; init; }

    /// <summary>Whether a command's standard input stays open after <see cref="Stdin"/>, to be written with <see cref="ICove.WriteStdinAsync"/>. Default no.</summary>
    public bool KeepStdinOpen { get; init; }

    /// <summary>Wall time after which the run is interrupted, then killed. Default 30 s; 10 ms to 24 h.</summary>
    [JsonPropertyName("timeout_ms"), JsonConverter(typeof(MillisecondsConverter))]
    public TimeSpan? Timeout { get; init; }

    /// <summary>
    /// Tools of the caller's that the code can call (<c>await tools.name(...)</c>); each call is a <see cref="RunToolCall"/> that waits for
    /// <see cref="ICove.AnswerToolCallAsync"/>. At most 128, of together at most 512 KiB. Only for code in Python. Default: none.
    /// </summary>
    public IReadOnlyList<HostTool>? Tools { get; init; }

    /// <summary>
    /// How long a tool call waits for its answer before it fails in the guest. Default 60 s; 10 ms to 24 h. While at least one call waits, the clock of
    /// <see cref="Timeout"/> stands still: a run lasts at most its timeout and <see cref="MaxToolCalls"/> times this.
    /// </summary>
    [JsonPropertyName("tool_call_timeout_ms"), JsonConverter(typeof(MillisecondsConverter))]
    public TimeSpan? ToolCallTimeout { get; init; }

    /// <summary>How many tool calls the run may make; further ones fail in the guest. Default 100; 1 to 10,000.</summary>
    public int? MaxToolCalls { get; init; }

    /// <summary>What the caller knows this run by, together with its own logs and traces; noted in the journal. Default: none in process, over HTTP the request's <c>X-Correlation-Id</c>. 1 to 128 characters of <c>A-Za-z0-9._-</c>.</summary>
    public string? CorrelationId { get; init; }

    /// <summary>An id chosen by the caller, so that it can interrupt before the first event arrives. Default: a new one.</summary>
    public RunId? Id { get; init; }
}
