namespace Cove.Engine.Journal;

/// <summary>How much of journals is kept in memory, in bytes as they are estimated.</summary>
internal sealed record JournalBounds
{
    /// <summary>Events of a run in progress, where the files have them too; without files they all stay (output and display budgets bound them).</summary>
    public required long LiveRunBytes { get; init; }

    /// <summary>Events of the ended runs of a sandbox. The newest one is kept whatever its size.</summary>
    public required long PerSandbox { get; init; }

    /// <summary>Events of the ended runs of an engine.</summary>
    public required long Total { get; init; }

    /// <summary>What a journal without files keeps.</summary>
    public static JournalBounds MemoryOnly { get; } = new() { LiveRunBytes = long.MaxValue, PerSandbox = 16 << 20, Total = 64 << 20 };

    /// <summary>What is kept beside files, so that who reads as it happens does not have to read them.</summary>
    public static JournalBounds BesideFiles { get; } = new() { LiveRunBytes = 1 << 20, PerSandbox = 1 << 20, Total = 16 << 20 };
}

/// <summary>The ended runs of an engine whose events are in memory, the oldest of which lose them when there are too many.</summary>
internal sealed class JournalMemory(JournalBounds bounds)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<RunLog> _held = [];

    public long Bytes { get; private set; }

    public JournalBounds Bounds => bounds;

    public void Add(RunLog run)
    {
        lock (_lock)
        {
            run.HeldBytes = run.Bytes;
            run.Held = _held.AddLast(run);
            Bytes += run.HeldBytes;
            while (Bytes > bounds.Total && _held.First is { } oldest)
            {
                Remove_NeedsLock(oldest.Value);
                oldest.Value.Drop();
            }
        }
    }

    /// <summary>Takes a run out; with <paramref name="drop"/> its events go too.</summary>
    public void Remove(RunLog run, bool drop)
    {
        lock (_lock)
        {
            if (run.Held is null)
            {
                return;
            }

            Remove_NeedsLock(run);
            if (drop)
            {
                run.Drop();
            }
        }
    }

    private void Remove_NeedsLock(RunLog run)
    {
        _held.Remove(run.Held!);
        run.Held = null;
        Bytes -= run.HeldBytes;
    }
}
