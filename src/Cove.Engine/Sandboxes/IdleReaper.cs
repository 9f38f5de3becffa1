namespace Cove.Engine.Sandboxes;

/// <summary>
/// Says when nothing was asked of a sandbox for its idle timeout, or when its maximum lifetime is over. Touching it costs a
/// timestamp: the timer is only set anew when it fires and finds that something happened meanwhile.
/// </summary>
internal sealed class IdleReaper : IDisposable
{
    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private TimeSpan _idle;
    private readonly Action<SandboxEndReason> _expired;
    private readonly ITimer _idleTimer;
    private readonly ITimer _lifeTimer;
    private long _lastUse;
    private int _inUse;
    private bool _disposed;

    public IdleReaper(TimeProvider time, TimeSpan idle, TimeSpan lifetime, Action<SandboxEndReason> expired)
    {
        _time = time;
        _idle = idle;
        _expired = expired;
        _lastUse = time.GetTimestamp();
        _idleTimer = time.CreateTimer(static state => ((IdleReaper)state!).OnIdleTimer(), this, idle, Timeout.InfiniteTimeSpan);
        _lifeTimer = time.CreateTimer(
            static state => ((IdleReaper)state!)._expired(SandboxEndReason.MaxLifetime), this, lifetime, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Something is in progress: not idle until <see cref="Leave"/>.</summary>
    public void Enter()
    {
        lock (_lock)
        {
            _inUse++;
        }
    }

    public void Leave()
    {
        lock (_lock)
        {
            _inUse--;
            _lastUse = _time.GetTimestamp();
        }
    }

    /// <summary>Changes what is given, counted from now.</summary>
    public void Extend(TimeSpan? idle, TimeSpan? lifetime)
    {
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            if (idle is { } newIdle)
            {
                _idle = newIdle;
                _lastUse = _time.GetTimestamp();
                _idleTimer.Change(newIdle, Timeout.InfiniteTimeSpan);
            }

            if (lifetime is { } left)
            {
                _lifeTimer.Change(left, Timeout.InfiniteTimeSpan);
            }
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
        }

        _idleTimer.Dispose();
        _lifeTimer.Dispose();
    }

    private void OnIdleTimer()
    {
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            var left = _inUse > 0 ? _idle : _idle - _time.GetElapsedTime(_lastUse);
            if (left > TimeSpan.Zero)
            {
                _idleTimer.Change(left, Timeout.InfiniteTimeSpan);
                return;
            }
        }

        _expired(SandboxEndReason.IdleTimeout);
    }
}
