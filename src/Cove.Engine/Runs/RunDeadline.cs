namespace Cove.Engine.Runs;

/// <summary>The wall time of a run: a clock that asks it to stop, and stands still while the run waits for its caller.</summary>
internal sealed class RunDeadline : IDisposable
{
    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private TimeSpan _left;
    private TimeSpan _paused;
    private long _since;
    private bool _pausing;

    /// <param name="clock">Whose timeout it is.</param>
    /// <param name="stop">What is asked to stop.</param>
    /// <param name="sent">When the guest was set going.</param>
    public RunDeadline(RunClock clock, RunStop stop, long sent)
    {
        _time = clock.Time;
        _since = _time.GetTimestamp();
        _left = clock.Timeout - _time.GetElapsedTime(sent, _since);
        _left = _left > TimeSpan.Zero ? _left : TimeSpan.Zero;
        _timer = _time.CreateTimer(static state => ((RunStop)state!).Request(StopReason.Deadline), stop, _left, Timeout.InfiniteTimeSpan);
    }

    /// <summary>For how long it stood still.</summary>
    public TimeSpan Paused
    {
        get
        {
            lock (_lock)
            {
                return _pausing ? _paused + _time.GetElapsedTime(_since) : _paused;
            }
        }
    }

    public void Pause()
    {
        lock (_lock)
        {
            if (!_pausing)
            {
                _pausing = true;
                _left -= _time.GetElapsedTime(_since);
                _since = _time.GetTimestamp();
                _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }
        }
    }

    public void Resume()
    {
        lock (_lock)
        {
            if (_pausing)
            {
                _pausing = false;
                _paused += _time.GetElapsedTime(_since);
                _since = _time.GetTimestamp();
                _timer.Change(_left > TimeSpan.Zero ? _left : TimeSpan.Zero, Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>The run is over; what it stood still is what it is.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_pausing)
            {
                _pausing = false;
                _paused += _time.GetElapsedTime(_since);
            }
        }

        _timer.Dispose();
    }
}
