namespace Cove.Engine.Pool;

/// <summary>
/// What kills a parked cell may kill the next as well: the stock is made up again after a pause, a longer one each time. Those that die
/// meanwhile die of the same. Not thread-safe: the pool's lock guards it.
/// </summary>
internal sealed class DeathPause : IAsyncDisposable
{
    /// <summary>Cells that die one within so long of another die of the same.</summary>
    private static readonly TimeSpan SameDeath = TimeSpan.FromMinutes(1);

    private readonly TimeProvider _time;
    private readonly ITimer _end;
    private CreationBackoff _deaths;
    private long? _diedAt;

    /// <summary><paramref name="onEnd"/> is called outside of any lock when a pause is over, and is to call <see cref="End"/>.</summary>
    public DeathPause(TimeProvider time, Action onEnd)
    {
        _time = time;
        _end = time.CreateTimer(static state => ((Action)state!)(), onEnd, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public bool IsOn { get; private set; }

    /// <summary>Begins a pause, or belongs to the one that is on. Of one that was disposed of nothing comes any more.</summary>
    public void NoteDeath()
    {
        if (IsOn)
        {
            return;
        }

        if (_diedAt is { } before && _time.GetElapsedTime(before) > SameDeath)
        {
            _deaths.Succeeded();
        }

        _diedAt = _time.GetTimestamp();
        _deaths.Failed();
        IsOn = true;
        _end.Change(_deaths.Delay, Timeout.InfiniteTimeSpan);
    }

    public void End() => IsOn = false;

    public ValueTask DisposeAsync() => _end.DisposeAsync();
}
