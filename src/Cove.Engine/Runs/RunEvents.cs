using System.Threading.Channels;

namespace Cove.Engine.Runs;

/// <summary>
/// The events of one run: numbered from 1 without gaps, in the order they happened, closed by exactly one
/// <see cref="RunCompleted"/>. Writing never waits, so nothing can lose the terminal event; who pumps output waits in
/// <see cref="WhenRoomAsync"/> while the reader is far behind. Output and display budgets bound what can pile up.
/// </summary>
internal sealed class RunEvents(TimeProvider time)
{
    /// <summary>Events that may wait for a slow reader before output waits too.</summary>
    public const int Room = 1024;

    private readonly Channel<RunEvent> _channel = Channel.CreateUnbounded<RunEvent>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Lock _lock = new();
    private TaskCompletionSource? _room;
    private long _sequence;
    private int _unread;
    private bool _released;
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

    public void Completed(RunResult result)
    {
        lock (_lock)
        {
            Write(new RunCompleted { Sequence = _sequence + 1, Time = time.GetUtcNow(), Result = result });
            _completed = true;
            _channel.Writer.TryComplete();
        }
    }

    /// <summary>Completes when the reader has caught up enough for more output.</summary>
    public ValueTask WhenRoomAsync()
    {
        lock (_lock)
        {
            if (_released || _unread < Room)
            {
                return default;
            }

            _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return new(_room.Task);
        }
    }

    /// <summary>From now on nobody waits for the reader: the run is ending, and what is left must be drained.</summary>
    public void Release()
    {
        lock (_lock)
        {
            _released = true;
            _room?.TrySetResult();
        }
    }

    /// <summary>Reads the events to the last. For one reader.</summary>
    public async IAsyncEnumerable<RunEvent> ReadAsync()
    {
        while (await _channel.Reader.WaitToReadAsync(CancellationToken.None))
        {
            while (_channel.Reader.TryRead(out var next))
            {
                MakeRoom();
                yield return next;
            }
        }
    }

    private void MakeRoom()
    {
        lock (_lock)
        {
            if (--_unread <= Room / 2 && _room is { } room)
            {
                _room = null;
                room.TrySetResult();
            }
        }
    }

    private void Write(RunEvent next)
    {
        if (_completed)
        {
            return;
        }

        _sequence++;
        _unread++;
        _channel.Writer.TryWrite(next);
    }
}
