using Cove.Wire;

namespace Cove.Server.Hosting;

/// <summary>How long an engine lives: it ends when asked to, or after its idle limit without a request in progress and without a sandbox.</summary>
internal sealed class EngineLife : ILife, IDisposable
{
    private readonly ICove _cove;
    private readonly EngineHostOptions _options;
    private readonly DateTimeOffset _startedAt;
    private readonly long _started;
    private readonly TaskCompletionSource<string> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly SemaphoreSlim _look = new(0, 1);
    private long _lastBusy;
    private int _requests;
    private volatile bool _stopping;
    private volatile bool _endWhenIdle;

    public EngineLife(ICove cove, EngineHostOptions options)
    {
        (_cove, _options) = (cove, options);
        _startedAt = options.Time.GetUtcNow();
        _started = _lastBusy = options.Time.GetTimestamp();
    }

    /// <summary>Completes with the reason when the engine shall end.</summary>
    public Task<string> End => _end.Task;

    public bool Stopping => _stopping;

    /// <inheritdoc/>
    public RunError? Refusal => _stopping ? Problems.Stopping() : null;

    /// <summary>Counts a request as work in progress until it is disposed.</summary>
    public Request Enter()
    {
        Interlocked.Increment(ref _requests);
        return new Request(this);
    }

    IDisposable? ILife.Enter(Operation operation) => Enter();

    public void StopNow()
    {
        _stopping = true;
        _end.TrySetResult("asked to stop");
    }

    /// <summary>Ends as soon as there is nothing to do. Until then everything works, also new sandboxes: whoever still uses this build goes on undisturbed.</summary>
    public void StopWhenIdle()
    {
        _endWhenIdle = true;
        Look();
    }

    public async Task<EngineStatus> StatusAsync(CancellationToken cancellationToken)
    {
        var sandboxes = (await _cove.ListSandboxesAsync(new SandboxFilter { Limit = 1000 }, cancellationToken)).Sandboxes.Count;
        var busy = sandboxes > 0 || Volatile.Read(ref _requests) > 0;
        return new EngineStatus
        {
            Pid = Environment.ProcessId,
            StartedAt = _startedAt,
            Uptime = _options.Time.GetElapsedTime(_started),
            Idle = busy ? TimeSpan.Zero : _options.Time.GetElapsedTime(Volatile.Read(ref _lastBusy)),
            IdleLimit = _options.IdleLimit,
            Build = _options.Build,
            Sandboxes = sandboxes,
            Stopping = _stopping || _endWhenIdle,
            Isolation = _options.Isolation,
        };
    }

    /// <summary>Watches for idleness until the token is cancelled.</summary>
    public async Task WatchAsync(CancellationToken cancellationToken)
    {
        // A tenth of the limit is exact enough for minutes and soon enough for the seconds that tests use; the log needs a look every few seconds.
        var pause = TimeSpan.FromTicks(Math.Clamp(_options.IdleLimit.Ticks / 10, TimeSpan.TicksPerMillisecond * 10, TimeSpan.TicksPerSecond * 5));
        using var timer = new PeriodicTimer(pause, _options.Time);
        var tick = timer.WaitForNextTickAsync(cancellationToken).AsTask();
        var look = _look.WaitAsync(cancellationToken);
        while (!_end.Task.IsCompleted)
        {
            var woken = await Task.WhenAny(tick, look);
            await woken;
            if (woken == tick)
            {
                tick = timer.WaitForNextTickAsync(cancellationToken).AsTask();
                _options.OnTick?.Invoke();
            }
            else
            {
                look = _look.WaitAsync(cancellationToken);
            }

            await JudgeAsync(cancellationToken);
        }
    }

    public void Dispose() => _look.Dispose();

    private async Task JudgeAsync(CancellationToken cancellationToken)
    {
        if (await IsBusyAsync(cancellationToken))
        {
            Volatile.Write(ref _lastBusy, _options.Time.GetTimestamp());
        }
        else if (_endWhenIdle)
        {
            await EndIdleAsync("asked to stop when idle", cancellationToken);
        }
        else if (_options.Time.GetElapsedTime(Volatile.Read(ref _lastBusy)) >= _options.IdleLimit)
        {
            await EndIdleAsync($"idle for {_options.IdleLimit.TotalSeconds:0} s", cancellationToken);
        }
    }

    /// <summary>Refuses new sandboxes first and looks once more then: one that was made meanwhile must not go down with an engine that took itself for idle.</summary>
    private async Task EndIdleAsync(string reason, CancellationToken cancellationToken)
    {
        _stopping = true;
        Interlocked.MemoryBarrier();
        if (await IsBusyAsync(cancellationToken))
        {
            _stopping = _end.Task.IsCompleted;
        }
        else
        {
            _end.TrySetResult(reason);
        }
    }

    private async Task<bool> IsBusyAsync(CancellationToken cancellationToken) =>
        Volatile.Read(ref _requests) > 0 || (await _cove.ListSandboxesAsync(new SandboxFilter { Limit = 1000 }, cancellationToken)).Sandboxes.Count > 0;

    private void Leave()
    {
        Volatile.Write(ref _lastBusy, _options.Time.GetTimestamp());
        Interlocked.Decrement(ref _requests);
        if (_endWhenIdle)
        {
            Look();
        }
    }

    private void Look()
    {
        try
        {
            _look.Release();
        }
        catch (Exception full) when (full is SemaphoreFullException or ObjectDisposedException)
        {
            // Somebody is already about to look, or the engine has ended.
        }
    }

    /// <summary>A request in progress.</summary>
    public readonly struct Request(EngineLife life) : IDisposable
    {
        public void Dispose() => life.Leave();
    }
}
