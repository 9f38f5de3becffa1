using Cove.Engine.Isolation;

namespace Cove.Engine.Runs;

/// <summary>
/// The standard input of a command that a caller goes on writing: a bounded queue between the caller, who must not hang on a program
/// that does not read, and the pipe. A write is taken whole or not at all.
/// </summary>
internal sealed class RunStdin(RunId run, TimeProvider time)
{
    /// <summary>Bytes of one write, and bytes that may wait for the program to read them.</summary>
    public const int MaxBytes = 1 << 20;

    /// <summary>How long a write waits for room.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly Queue<ReadOnlyMemory<byte>> _queue = new();
    private TaskCompletionSource _changed = NewChange();
    private long _queued;
    private bool _closed;
    private bool _refused;
    private bool _ended;

    /// <summary>Gives a command its input: what came with the request, then what is written while it runs, if anything may be.</summary>
    public static async Task FeedAsync(RunStdin? more, ReadOnlyMemory<byte>? first, ByteSink stdin)
    {
        try
        {
            if (first is { Length: > 0 } bytes && !await stdin.WriteAsync(bytes, CancellationToken.None))
            {
                more?.Refuse(); // the command closed its input, which is its right
                return;
            }

            if (more is not null)
            {
                await more.PumpAsync(stdin);
            }
        }
        finally
        {
            stdin.Dispose();
        }
    }

    /// <summary>Takes input for the program; returns when it is queued.</summary>
    public async Task WriteAsync(ReadOnlyMemory<byte> input, bool close, CancellationToken cancellationToken)
    {
        var copy = input.ToArray(); // the caller's buffer is the caller's again when this returns
        var started = time.GetTimestamp();
        while (!TryQueue(copy, close, out var changed))
        {
            var left = Patience - time.GetElapsedTime(started);
            try
            {
                await changed.WaitAsync(left > TimeSpan.Zero ? left : TimeSpan.Zero, time, cancellationToken);
            }
            catch (TimeoutException)
            {
                throw Refusals.StdinFull(run, Patience);
            }
        }
    }

    /// <summary>Carries what is queued to the program until its input is closed, by either side, or the run ended.</summary>
    public async Task PumpAsync(ByteSink sink)
    {
        while (true)
        {
            ReadOnlyMemory<byte> next;
            Task changed;
            lock (_lock)
            {
                if (_ended || (_closed && _queue.Count == 0))
                {
                    return;
                }

                _queue.TryPeek(out next);
                changed = _changed.Task;
            }

            if (next.Length == 0)
            {
                await changed;
            }
            else if (!await sink.WriteAsync(next, CancellationToken.None))
            {
                Refuse();
                return;
            }
            else
            {
                Taken();
            }
        }
    }

    /// <summary>The run is over.</summary>
    public void End()
    {
        lock (_lock)
        {
            _ended = true;
            Change_NeedsLock();
        }
    }

    /// <summary>The program closed its input.</summary>
    public void Refuse()
    {
        lock (_lock)
        {
            _refused = true;
            _queue.Clear();
            _queued = 0;
            Change_NeedsLock();
        }
    }

    private bool TryQueue(ReadOnlyMemory<byte> input, bool close, out Task changed)
    {
        lock (_lock)
        {
            changed = _changed.Task;
            if (_ended)
            {
                throw Refusals.RunEnded(run);
            }

            if (_refused || _closed)
            {
                throw Refusals.StdinClosed(run, _refused ? "the program closed it" : "it was closed by an earlier write");
            }

            if (_queued > 0 && _queued + input.Length > MaxBytes)
            {
                return false;
            }

            if (input.Length > 0)
            {
                _queue.Enqueue(input);
                _queued += input.Length;
            }

            _closed = close;
            Change_NeedsLock();
            return true;
        }
    }

    private void Taken()
    {
        lock (_lock)
        {
            if (_queue.TryDequeue(out var written))
            {
                _queued -= written.Length;
            }

            Change_NeedsLock();
        }
    }

    private void Change_NeedsLock()
    {
        var changed = _changed;
        _changed = NewChange();
        changed.TrySetResult();
    }

    private static TaskCompletionSource NewChange() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
