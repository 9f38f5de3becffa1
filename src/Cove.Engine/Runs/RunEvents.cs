using System.Text.Json;
using Cove.Engine.Journal;

namespace Cove.Engine.Runs;

/// <summary>
/// Writes the events of one run: numbered from 1 without gaps, in the order they happened, closed by exactly one
/// <see cref="RunCompleted"/>. Writing never waits for a reader: they read from the <see cref="RunLog"/>, each at its own pace.
/// </summary>
internal sealed class RunEvents(RunLog log, TimeProvider time)
{
    private readonly Lock _lock = new();
    private RunStarted? _unwritten;
    private long _sequence;
    private bool _completed;

    /// <summary>The run starts now. That is written by <see cref="WriteStarted"/>, or before the event that comes next.</summary>
    public void Start(RunId run, SandboxId sandbox, string? kernel, string? correlationId = null)
    {
        lock (_lock)
        {
            _unwritten = new RunStarted { Sequence = ++_sequence, Time = time.GetUtcNow(), Run = run, Sandbox = sandbox, Kernel = kernel, CorrelationId = correlationId };
        }
    }

    /// <summary>Writes that the run has started, unless it is written: once the guest is going, so that it does not wait for this.</summary>
    public void WriteStarted()
    {
        lock (_lock)
        {
            WriteStarted_NeedsLock();
        }
    }

    public void Output(OutputStream stream, string text)
    {
        lock (_lock)
        {
            Write_NeedsLock(new RunOutput { Sequence = _sequence + 1, Time = time.GetUtcNow(), Stream = stream, Text = text });
        }
    }

    public void Display(bool isResult, IReadOnlyDictionary<string, string> data)
    {
        lock (_lock)
        {
            Write_NeedsLock(new RunDisplay { Sequence = _sequence + 1, Time = time.GetUtcNow(), IsResult = isResult, Data = data });
        }
    }

    public void Notice(string code, string message)
    {
        lock (_lock)
        {
            Write_NeedsLock(new RunNotice { Sequence = _sequence + 1, Time = time.GetUtcNow(), Code = code, Message = message });
        }
    }

    public void ToolCall(string callId, string name, JsonElement arguments)
    {
        lock (_lock)
        {
            Write_NeedsLock(new RunToolCall { Sequence = _sequence + 1, Time = time.GetUtcNow(), CallId = callId, Name = name, Arguments = arguments });
        }
    }

    public void ToolAnswered(string callId, HostFailure? error, TimeSpan waited)
    {
        lock (_lock)
        {
            Write_NeedsLock(new RunToolAnswered { Sequence = _sequence + 1, Time = time.GetUtcNow(), CallId = callId, Error = error, Waited = waited });
        }
    }

    public void Completed(RunResult result)
    {
        lock (_lock)
        {
            Write_NeedsLock(new RunCompleted { Sequence = _sequence + 1, Time = time.GetUtcNow(), Result = result });
            _completed = true;
        }
    }

    private void Write_NeedsLock(RunEvent next)
    {
        if (!_completed)
        {
            WriteStarted_NeedsLock();
            _sequence = next.Sequence;
            log.Append(next);
        }
    }

    private void WriteStarted_NeedsLock()
    {
        if (_unwritten is { } started)
        {
            _unwritten = null;
            log.Append(started);
        }
    }
}
