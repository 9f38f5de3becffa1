using Cove.Engine.Templates;
using Microsoft.Extensions.Logging;

namespace Cove.Engine.Pool;

/// <summary>
/// The parked cells of one template. A claim takes one synchronously when one is there; otherwise it waits in line, strictly
/// first come, first served. Refilling happens elsewhere, as many at once as the factory has slots for.
/// </summary>
internal sealed class CellPool : IAsyncDisposable
{
    /// <summary>Making a cell takes more of the processor than what a caller does first with the one it took: while others are parked, that goes first.</summary>
    private static readonly TimeSpan RefillDelay = TimeSpan.FromMilliseconds(20);

    private readonly LoadedTemplate _loaded;
    private readonly int _size;
    private readonly CellFactory _factory;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _lock = new();
    private readonly CellStock _parked;
    private readonly WaitingLine _waiting = new();
    private readonly DeathPause _pause;
    private readonly ITimer _retry;
    private readonly ITimer _later;
    private bool _laterIsSet;
    private CreationBackoff _backoff;
    private bool _resting;
    private int _making;
    private int _makers;

    public CellPool(LoadedTemplate loaded, int size, CellFactory factory, TimeProvider time, ILogger logger)
    {
        _loaded = loaded;
        _size = size;
        _factory = factory;
        _time = time;
        _logger = logger;
        _retry = time.CreateTimer(static state => ((CellPool)state!).OnRested(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _later = time.CreateTimer(static state => ((CellPool)state!).OnLater(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _parked = new CellStock(size, loaded.Template.Name, logger);
        _pause = new DeathPause(time, OnPauseOver);
    }

    public int Parked
    {
        get
        {
            lock (_lock)
            {
                return _parked.Count;
            }
        }
    }

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

    /// <summary>Begins to fill the pool.</summary>
    public void Start() => Refill();

    /// <summary>Takes a parked cell: at once when one is there and nobody waits for it.</summary>
    public ValueTask<ParkedCell> TakeAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        ParkedCell? taken;
        lock (_lock)
        {
            taken = _waiting.Count == 0 ? TakeLive_NeedsLock() : null;
        }

        EngineMeter.Claimed(_loaded.Template.Name, taken is not null);
        if (taken is null)
        {
            return WaitAsync(timeout, cancellationToken);
        }

        RefillOffTheHotPath();
        return new(taken);
    }

    private void RefillOffTheHotPath()
    {
        lock (_lock)
        {
            if (_parked.CanWait)
            {
                if (!_laterIsSet)
                {
                    _laterIsSet = true;
                    _later.Change(RefillDelay, Timeout.InfiniteTimeSpan);
                }

                return;
            }
        }

        // Starting makers may call into the backend.
        ThreadPool.UnsafeQueueUserWorkItem(static pool => pool.Refill(), this, preferLocal: false);
    }

    private void OnLater()
    {
        lock (_lock)
        {
            _laterIsSet = false;
        }

        Refill();
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _retry.DisposeAsync();
        await _later.DisposeAsync();
        await _pause.DisposeAsync();
        ParkedCell[] parked;
        lock (_lock)
        {
            parked = _parked.Empty();
            foreach (var waiter in _waiting.Dismiss())
            {
                waiter.TrySetException(Refusals.EngineStopped());
            }
        }

        await Task.WhenAll(parked.Select(p => p.Cell.DisposeAsync().AsTask()));
    }

    /// <summary>Waits in line; a cell that was parked since the caller looked is taken at once.</summary>
    internal async ValueTask<ParkedCell> WaitAsync(TimeSpan timeout, CancellationToken cancellationToken)
    {
        var waiter = new TaskCompletionSource<ParkedCell>(TaskCreationOptions.RunContinuationsAsynchronously);
        int ahead;
        lock (_lock)
        {
            if (_stopping.IsCancellationRequested)
            {
                throw Refusals.EngineStopped();
            }

            ahead = _waiting.Count;
            if (ahead == 0 && TakeLive_NeedsLock() is { } parked)
            {
                waiter.SetResult(parked);
            }
            else
            {
                _waiting.Join(waiter);
            }
        }

        Refill();
        using var timer = _time.CreateTimer(
            _ => waiter.TrySetException(Refusals.CreateDeadline(timeout, ahead, $"the pool_size of the template '{_loaded.Template.Name}' (now {_size})")),
            null, timeout, Timeout.InfiniteTimeSpan);
        using var registration = cancellationToken.UnsafeRegister(
            static (state, token) => ((TaskCompletionSource<ParkedCell>)state!).TrySetCanceled(token), waiter);
        try
        {
            return await waiter.Task;
        }
        finally
        {
            lock (_lock)
            {
                _waiting.Leave(waiter);
            }
        }
    }

    /// <summary>Starts as many makers as are missing, but never more than could be of use.</summary>
    private void Refill()
    {
        while (true)
        {
            lock (_lock)
            {
                if (_stopping.IsCancellationRequested || _resting || _parked.Count + _makers >= Wanted_NeedsLock)
                {
                    return;
                }

                // While starting cells fails, one try at a time shows whether the fault is over.
                if (_backoff.IsFailing && _makers > 0)
                {
                    return;
                }

                _makers++;
            }

            _ = MakeAsync();
        }
    }

    /// <summary>Cells that are of use: a stock, and one for each who waits.</summary>
    private int Wanted_NeedsLock => (_pause.IsOn ? 0 : _size) + _waiting.Count;

    private async Task MakeAsync()
    {
        ParkedCell? made = null;
        try
        {
            await _factory.EnterAsync(Timeout.InfiniteTimeSpan, _stopping.Token);
            try
            {
                if (BeginMaking())
                {
                    made = await _factory.MakeAsync(_loaded, _loaded.Template.Limits, rehearse: Waiting == 0, _stopping.Token);
                }
            }
            finally
            {
                _factory.Leave();
            }
        }
        catch (OperationCanceledException)
        {
            // The engine is stopping.
        }
        catch (Exception exception)
        {
            OnFailed(exception);
        }

        await OfferAsync(made);
    }

    /// <summary>Those who waited may have left while this maker waited for its slot.</summary>
    private bool BeginMaking()
    {
        lock (_lock)
        {
            if (_parked.Count + _making >= Wanted_NeedsLock)
            {
                return false;
            }

            _making++;
            return true;
        }
    }

    private async Task OfferAsync(ParkedCell? made)
    {
        var surplus = made;
        lock (_lock)
        {
            _makers--;
            if (made is not null)
            {
                _making--;
                _backoff.Succeeded();
                if (!_stopping.IsCancellationRequested && (_waiting.Hand(made) || _parked.Park(made, OnParkedDied)))
                {
                    surplus = null;
                }
            }
        }

        if (surplus is not null)
        {
            await surplus.Cell.DisposeAsync();
        }

        Refill();
    }

    private ParkedCell? TakeLive_NeedsLock()
    {
        var taken = _parked.TakeLive(out var deaths);
        if (deaths > 0)
        {
            _pause.NoteDeath();
        }

        return taken;
    }

    private void OnParkedDied(ParkedCell dead)
    {
        lock (_lock)
        {
            if (!_parked.Bury(dead))
            {
                return;
            }

            _pause.NoteDeath();
        }

        Refill();
    }

    /// <summary>Whoever waits for a cell has had one made meanwhile; the stock follows.</summary>
    private void OnPauseOver()
    {
        lock (_lock)
        {
            _pause.End();
        }

        Refill();
    }

    private void OnFailed(Exception exception)
    {
        TaskCompletionSource<ParkedCell>[] told = [];
        lock (_lock)
        {
            _making--;
            _backoff.Failed();
            _resting = true;
            if (_backoff.Failures >= CreationBackoff.SurfaceAfter || exception is CoveException { Error.Retryable: false })
            {
                told = _waiting.Dismiss();
            }

            if (!_stopping.IsCancellationRequested)
            {
                _retry.Change(_backoff.Delay, Timeout.InfiniteTimeSpan);
            }
        }

        _logger.CellStartFailed(exception, _loaded.Template.Name, _backoff.Failures, _backoff.Delay.TotalMilliseconds);
        foreach (var waiter in told)
        {
            waiter.TrySetException((exception as CoveException) ?? Refusals.CellStartFailed(exception.Message, exception));
        }
    }

    private void OnRested()
    {
        lock (_lock)
        {
            _resting = false;
        }

        Refill();
    }
}
