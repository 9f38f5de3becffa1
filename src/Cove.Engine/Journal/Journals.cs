using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace Cove.Engine.Journal;

/// <summary>The journals of an engine: of its live sandboxes, and, on disk or for a while in memory, of those that ended.</summary>
internal sealed class Journals : IDisposable
{
    /// <summary>Journals of ended sandboxes kept in memory where there are no files; as many as ended sandboxes are remembered.</summary>
    private const int MaxEnded = 1000;

    /// <summary>Runs those may have altogether.</summary>
    private const int MaxEndedRuns = 20_000;

    private readonly ConcurrentDictionary<SandboxId, SandboxJournal> _journals = new();
    private readonly Queue<SandboxJournal> _ended = new();
    private readonly Lock _lock = new();
    private readonly FileStream? _held;
    private readonly JournalSpares? _spares;
    private int _endedRuns;

    public Journals(EngineOptions options, TimeProvider time, ILogger logger)
    {
        (Time, Logger, MaxBytes) = (time, logger, options.JournalBytesPerSandbox);
        Memory = new JournalMemory(options.JournalDirectory is null ? JournalBounds.MemoryOnly : JournalBounds.BesideFiles);
        if (options.JournalDirectory is null)
        {
            return;
        }

        Paths = new JournalPaths(options.JournalDirectory);
        Paths.Make();
        _held = Hold(Paths);
        _spares = new JournalSpares(Paths, MaxBytes);
        Disk = new JournalDisk(Paths, options, time, logger, () => [.. _journals.Values]);
    }

    public TimeProvider Time { get; }

    public ILogger Logger { get; }

    public JournalMemory Memory { get; }

    /// <summary>Where the files are; null when journals are in memory only.</summary>
    public JournalPaths? Paths { get; }

    /// <summary>What they may take on disk altogether; null when journals are in memory only.</summary>
    public JournalDisk? Disk { get; }

    public long MaxBytes { get; }

    /// <summary>A new sandbox's journal, and with it the sandbox's id. <paramref name="owner"/>: to whom it is counted.</summary>
    public SandboxJournal Create(string? owner) => _spares?.Take() is var (sandbox, file) ? Create(sandbox, owner, file) : Create(SandboxId.New(), owner);

    /// <summary>The journal of a new sandbox with a given id. Without <paramref name="file"/> it makes its own.</summary>
    public SandboxJournal Create(SandboxId sandbox, string? owner = null, JournalFile? file = null) => _journals[sandbox] = new SandboxJournal(sandbox, owner, this, file);

    public SandboxJournal? Find(SandboxId sandbox) => _journals.GetValueOrDefault(sandbox);

    /// <summary>The journal as the files have it; null when there is none.</summary>
    public StoredJournal? Stored(SandboxId sandbox) => Paths?.Find(sandbox) is null ? null : new StoredJournal(Paths, sandbox, Time);

    /// <summary>A sandbox has ended and its journal with it.</summary>
    public void Retire(SandboxJournal journal)
    {
        if (Paths is null)
        {
            Remember(journal);
            return;
        }

        try
        {
            Directory.Move(Paths.Live(journal.Sandbox), Paths.Ended(journal.Sandbox));
        }
        catch (IOException failure)
        {
            Logger.JournalFailed(failure, journal.Sandbox); // it stays where it is; the next engine's start moves it
        }

        Disk!.NoteEnd(journal);
        _journals.TryRemove(journal.Sandbox, out _);
        journal.Release();
    }

    /// <summary>Makes ready what the next sandboxes will need, where nobody waits.</summary>
    public void Prepare() => _spares?.Fill();

    /// <summary>Ends, in the journals, what an engine before this one could not end. Returns the sandboxes and their runs.</summary>
    public IReadOnlyList<(SandboxInfo Sandbox, IReadOnlyList<RunInfo> Runs)> Recover()
    {
        if (Paths is null)
        {
            return [];
        }

        var lost = new JournalRecovery(Paths, Time, Logger).Recover();
        Disk!.Count();
        Prepare();
        return lost;
    }

    public void Dispose()
    {
        Disk?.Dispose();
        _spares?.Dispose();
        _held?.Dispose();
    }

    private void Remember(SandboxJournal journal)
    {
        lock (_lock)
        {
            _ended.Enqueue(journal);
            _endedRuns += journal.RunCount;
            while (_ended.Count > MaxEnded || (_endedRuns > MaxEndedRuns && _ended.Count > 1))
            {
                var oldest = _ended.Dequeue();
                _endedRuns -= oldest.RunCount;
                _journals.TryRemove(oldest.Sandbox, out _);
                oldest.Release();
            }
        }
    }

    /// <summary>The kernel gives this back however the engine ends.</summary>
    private static FileStream Hold(JournalPaths paths)
    {
        try
        {
            return new FileStream(paths.Lock, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                UnixCreateMode = JournalPaths.PrivateFile,
            });
        }
        catch (IOException held)
        {
            throw Refusals.JournalHeld(paths.Root, held);
        }
    }
}
