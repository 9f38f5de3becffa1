using System.Text.Json;
using Cove.Agent.Loop;
using Cove.Agent.Secrets;

namespace Cove.Agent.Transcripts;

/// <summary>
/// Writes what happens as JSON lines, each as it happens: after a crash the file holds all until then. The file is its owner's alone and must not exist yet.
/// Secrets that are known, and what looks like a key, are never in it. For one run at a time.
/// </summary>
public sealed class TranscriptWriter : IAsyncDisposable
{
    private static readonly byte[] _newLine = [(byte)'\n'];

    private readonly Stream _file;
    private readonly IReadOnlyList<Redactor> _redactors;
    private readonly TimeProvider _time;
    private string _correlationId = "";

    private TranscriptWriter(Stream file, TimeProvider time, IReadOnlyList<Redactor> redactors) =>
        (_file, _time, _redactors) = (file, time, redactors);

    /// <summary>Makes the file, mode 0600.</summary>
    /// <param name="path">Where. Nothing may be there yet: a transcript is not written over, and no link is followed.</param>
    /// <param name="time">The clock of the lines.</param>
    /// <param name="redactors">What knows the secrets that must not be in it.</param>
    /// <exception cref="IOException">The file is there already, or can't be made.</exception>
    public static TranscriptWriter Create(string path, TimeProvider time, params IReadOnlyList<Redactor> redactors)
    {
        ArgumentNullException.ThrowIfNull(time);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.Read, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new TranscriptWriter(new FileStream(path, options), time, redactors);
    }

    /// <summary>Notes an event. Pieces of text and of output are not noted: the whole comes with the message.</summary>
    public async ValueTask WriteAsync(AgentEvent next, CancellationToken cancellationToken = default)
    {
        _correlationId = (next as AgentStarted)?.CorrelationId ?? _correlationId;
        if (Line(next) is { } line)
        {
            var json = JsonSerializer.SerializeToElement(line with { Time = _time.GetUtcNow(), CorrelationId = _correlationId }, TranscriptJson.Default.TranscriptLine);
            var bytes = RedactedJson.Of(json, Hidden);
            await _file.WriteAsync((byte[])[.. bytes.Span, .. _newLine], cancellationToken);
        }
    }

    /// <summary>Closes the file.</summary>
    public ValueTask DisposeAsync() => _file.DisposeAsync();

    private string Hidden(string text) => LikelyKeys.Redact(_redactors.Aggregate(text, (hidden, redactor) => redactor.Redact(hidden)));

    private static TranscriptLine? Line(AgentEvent next) => next switch
    {
        AgentStarted started => new StartLine { Model = started.Model },
        MessageAdded { Message: var message } => new MessageLine { Role = message.Role.Value, Content = TranscriptBlocks.Of(message) },
        TokensCounted counted => new UsageLine
        {
            InputTokens = counted.Turn.Input,
            OutputTokens = counted.Turn.Output,
            CacheReadTokens = counted.Turn.CacheRead,
            CacheWriteTokens = counted.Turn.CacheWrite,
            TotalTokens = counted.Total.Total,
            Cost = counted.Cost,
        },
        ModelRetrying retrying => new RetryLine { Retry = retrying.Retry, DelayMs = (long)retrying.Delay.TotalMilliseconds, Failure = retrying.Failure },
        ToolEnded ended => new ToolLine
        {
            Id = ended.Call.Id,
            Name = ended.Call.Name,
            DurationMs = (long)ended.Duration.TotalMilliseconds,
            Error = ended.Result.Error is { } error ? AgentMeter.Word(error.ErrorCategory) : null,
        },
        HostToolCalled called => new HostCallLine
        {
            Id = called.Record.Call.CallId,
            ToolUseId = called.CallId,
            Run = called.Record.Call.Run.ToString(),
            Name = called.Record.Call.Tool,
            Input = called.Record.Call.Arguments,
            DurationMs = (long)called.Record.Duration.TotalMilliseconds,
            Error = called.Record.Error?.Category,
            Message = called.Record.Error?.Message,
        },
        BudgetExhausted spent => new BudgetLine { Budget = spent.Budget, Reason = spent.Reason },
        AgentCompleted completed => new EndLine { Result = completed.Result },
        _ => null,
    };
}
