namespace Cove.Client;

/// <summary>The pauses between tries to take a stream up again, and when to give up: so long after the last success.</summary>
internal sealed class Backoff(CoveClientOptions options)
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    private TimeSpan _pause = First;
    private long? _failingSince;

    /// <summary>Something arrived.</summary>
    public void Reset()
    {
        _pause = First;
        _failingSince = null;
    }

    /// <summary>Waits for the next try; false when it is not to be tried again.</summary>
    public async Task<bool> WaitAsync(CancellationToken cancellationToken)
    {
        _failingSince ??= options.Time.GetTimestamp();
        if (options.Time.GetElapsedTime(_failingSince.Value) >= options.ResumeLimit)
        {
            return false;
        }

        await Task.Delay(_pause, options.Time, cancellationToken);
        _pause = _pause * 2 < Longest ? _pause * 2 : Longest;
        return true;
    }
}
