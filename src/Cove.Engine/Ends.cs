using Microsoft.Extensions.Logging;

namespace Cove.Engine;

/// <summary>The end of a sandbox.</summary>
/// <param name="Sandbox">What was known of it; it says why it ended.</param>
/// <param name="CpuTime">Processor time it used after its last run ended, so that the sum over its runs and this is all of it; null where the host offers no accounting.</param>
internal sealed record SandboxEnd(SandboxInfo Sandbox, TimeSpan? CpuTime);

/// <summary>The end of a run.</summary>
/// <param name="Run">What was known of it, its result included.</param>
/// <param name="CpuTime">Processor time its sandbox used since the run before it ended (runs at the same time are not told apart); null where the host offers no accounting.</param>
internal sealed record RunEnd(RunInfo Run, TimeSpan? CpuTime);

/// <summary>Tells whoever keeps accounts.</summary>
internal sealed class Ends(EngineOptions options, ILogger logger)
{
    public bool AreHeard => options.OnSandboxEnded is not null || options.OnRunEnded is not null;

    public void Tell(SandboxEnd end)
    {
        try
        {
            options.OnSandboxEnded?.Invoke(end);
        }
        catch (Exception failure)
        {
            logger.ObserverFailed(failure, end.Sandbox.Id.Value);
        }
    }

    public void Tell(RunEnd end)
    {
        try
        {
            options.OnRunEnded?.Invoke(end);
        }
        catch (Exception failure)
        {
            logger.ObserverFailed(failure, end.Run.Id.Value);
        }
    }
}

/// <summary>Processor time of a cell, handed out piece by piece: each piece once.</summary>
internal sealed class CpuMeter
{
    private long _told;

    /// <summary>What came since the last call.</summary>
    public TimeSpan? Since(long? nanoseconds)
    {
        if (nanoseconds is not { } now)
        {
            return null;
        }

        // Of runs at the same time the reading of one may be older than what another's told: it must not set that back, or it would be told twice.
        for (var before = Volatile.Read(ref _told); now > before;)
        {
            var seen = Interlocked.CompareExchange(ref _told, now, before);
            if (seen == before)
            {
                return TimeSpan.FromTicks((now - before) / 100);
            }

            before = seen;
        }

        return TimeSpan.Zero;
    }
}
