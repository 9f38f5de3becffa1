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
    private long _sequence;
    private bool _completed;

    public void Started(RunId run, SandboxId sandbox, string? kernel, string? correlationId = null)
    {
        lock (_lock)
        {
            Write(new RunStarted { Sequence = _sequence + 1, Time = time.GetUtcNow(), Run = run, Sandbox = sandbox, Kernel = kernel, CorrelationId = correlationId });
        }
    }

    public void Output(OutputStream stream, string text)
    {
        lock (_lock)
        {
            Write(new RunOutput { Sequence = _sequence + 1, Time = time.GetUtcNow(), Stream = stream, Text = text });
        }
    }

    public void Display(bool isResult, IReadOnlyDictionary<string, string> data)
    {
        lock (_lock)
        {
            Write(new RunDisplay { Sequence = _sequence + 1, Time = time.GetUtcNow(), IsResult = isResult, Data = data });
        }
    }

    public void Notice(string code, string message)
    {
        lock (_lock)
        {
            Write(new RunNotice { Sequence = _sequence + 1, Time = time.GetUtcNow(), Code = code, Message = message });
        }
    }

    public void ToolCall(string callId, string name, JsonElement arguments)
    {
        lock (_lock)
        {
            Write(new RunToolCall { Sequence = _sequence + 1, Time = time.GetUtcNow(), CallId = callId, Name = name, Arguments = arguments });
        }
    }

    public void ToolAnswered(string callId, HostFailure? error, TimeSpan waited)
    {
        lock (_lock)
        {
            Write(new RunToolAnswered { Sequence = _sequence + 1, Time = time.GetUtcNow(), CallId = callId, Error = error, Waited = waited });
        }
    }

    public void Completed(RunResult result)
    {
        lock (_lock)
        {
            Write(new RunCompleted { Sequence = _sequence + 1, Time = time.GetUtcNow(), Result = result });
            _completed = true;
        }
    }

    private void Write(RunEvent next)
    {
        if (!_completed)
        {
            _sequence++;
            log.Append(next);
        }
    }
}
