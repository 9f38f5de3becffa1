namespace Cove.Engine;

/// <summary>
/// A counted gate that lets waiters in strictly in the order they came. SemaphoreSlim lets a newcomer pass those who wait, and
/// knows no TimeProvider.
/// </summary>
internal sealed class FifoGate(int places, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<TaskCompletionSource<bool>> _waiting = [];
    private int _free = places;

    public int Waiting
    {
        get
        {
            lock (_lock)
            {
                return _waiting.Count;
            }
        }
    }

    public bool IsFull
    {
        get
        {
            lock (_lock)
            {
                return _free == 0;
            }
        }
    }

    /// <summary>Enters when a place is free and nobody waits for it.</summary>
    public bool TryEnter()
    {
        lock (_lock)
        {
            if (_free == 0)
            {
                return false;
            }

            _free--;
            return true;
        }
    }

    /// <summary>Enters, waiting for a place: false when none came free in time.</summary>
    public ValueTask<bool> EnterAsync(TimeSpan timeout, CancellationToken cancellationToken) =>
        TryEnter() ? new(true) : WaitAsync(timeout, cancellationToken);

    /// <summary>Gives a place back; the longest-waiting one has it next.</summary>
    public void Leave()
    {
        lock (_lock)
        {
            while (_waiting.First is { } first)
            {
                _waiting.RemoveFirst();
                if (first.Value.TrySetResult(true))
                {
                    return;
                }
            }

            _free++;
        }
    }

    private async ValueTask<bool> WaitAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        var waiter = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (_free > 0)
            {
                _free--;
                return true;
            }

            _waiting.AddLast(waiter);
        }

        using var timer = timeout == Timeout.InfiniteTimeSpan
            ? null
            : time.CreateTimer(static state => ((TaskCompletionSource<bool>)state!).TrySetResult(false), waiter, timeout, Timeout.InfiniteTimeSpan);
        using var registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((TaskCompletionSource<bool>)state!).TrySetCanceled(token), waiter);
        try
        {
            return await waiter.Task;
        }
        finally
        {
            lock (_lock)
            {
                _waiting.Remove(waiter);
            }
        }
    }
}
