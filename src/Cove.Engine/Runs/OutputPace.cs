namespace Cove.Engine.Runs;

/// <summary>
/// Bounds how many events a stream becomes. A program that writes a byte at a time is read at once for its first thousand writes, and then
/// after ever longer pauses, in which the pipe gathers what it writes. A program that writes much is never held up for long: what gathers
/// in the shortest pause is read whole, and brings the pauses back to that.
/// </summary>
internal sealed class OutputPace(TimeProvider time)
{
    private const int SmallBytes = 1024;
    private const int AtOnce = 1024;

    private int _small;

    /// <summary>Waits, where it has to, after a read of so many bytes; the end of the run ends the pause.</summary>
    public async ValueTask AfterAsync(int bytes, CancellationToken endOfRun)
    {
        if (bytes >= SmallBytes)
        {
            _small = Math.Min(_small, AtOnce);
        }
        else if (Pause(++_small) is { } pause)
        {
            await Task.Delay(pause, time, endOfRun).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>A hundred events a second, then ten, then one: some 200,000 in the longest run there is.</summary>
    private static TimeSpan? Pause(int small) => small switch
    {
        <= AtOnce => null,
        <= 16_384 => TimeSpan.FromMilliseconds(10),
        <= 65_536 => TimeSpan.FromMilliseconds(100),
        _ => TimeSpan.FromSeconds(1),
    };
}
