namespace Cove.Server.Access.Quotas;

/// <summary>
/// So many a minute, and as many at once when none came before. (The framework's own limiter takes no clock and does not tell when it is full again,
/// which the headers need.) Guarded by its owner's lock.
/// </summary>
internal struct TokenBucket
{
    private double _tokens;
    private long _at;
    private bool _begun;

    /// <summary>Takes one; false when there is none.</summary>
    public bool TryTake(long perMinute, TimeProvider time)
    {
        Refill(perMinute, time);
        if (_tokens < 1)
        {
            return false;
        }

        _tokens--;
        return true;
    }

    /// <summary>How many are left.</summary>
    public readonly long Left => (long)_tokens;

    /// <summary>Whole seconds until there is one again; at least 1.</summary>
    public readonly long UntilNext(long perMinute) => Math.Max(1, (long)Math.Ceiling((1 - _tokens) * 60 / perMinute));

    /// <summary>Whole seconds until it is full.</summary>
    public readonly long UntilFull(long perMinute) => (long)Math.Ceiling(Math.Max(0, perMinute - _tokens) * 60 / perMinute);

    public void Refill(long perMinute, TimeProvider time)
    {
        var now = time.GetTimestamp();
        _tokens = _begun ? Math.Min(perMinute, _tokens + (time.GetElapsedTime(_at, now).TotalMinutes * perMinute)) : perMinute;
        (_at, _begun) = (now, true);
    }
}
