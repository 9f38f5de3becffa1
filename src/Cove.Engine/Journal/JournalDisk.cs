using Microsoft.Extensions.Logging;

namespace Cove.Engine.Journal;

/// <summary>
/// Keeps all journals of an engine within their bound, counted as they are written: near it who holds most gives way, first with its oldest ended
/// journals, then, when it has none, by its live ones being cut alike, but nobody below an equal share; so nobody's output pushes out what is another's. Ended ones
/// also go when they are too old, or (of who has most of them) too many. What is looked at is a count in memory, at every write and every end; the
/// removing is done behind it, from a margin on, so that the bound itself is not reached.
/// </summary>
internal sealed class JournalDisk : IDisposable
{
    /// <summary>Ended journals that are kept: each is some files, of which a disk has no endless number either.</summary>
    public const int MaxEnded = 100_000;

    /// <summary>What a journal takes beside its bytes: a directory, and part of a block.</summary>
    private const int Overhead = 8 << 10;

    /// <summary>Below this a live journal is not cut: some events of each are always there.</summary>
    private const long LeastShare = 64 << 10;

    private static readonly TimeSpan Pause = TimeSpan.FromHours(1);

    private readonly JournalPaths _paths;
    private readonly EngineOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Func<IReadOnlyCollection<SandboxJournal>> _live;
    private readonly Lock _lock = new();
    private readonly Lock _pass = new();
    private readonly EndedJournals _ended = new();
    private readonly ITimer _timer;
    private long _bytes;
    private int _removing;
    private volatile bool _over;

    public JournalDisk(JournalPaths paths, EngineOptions options, TimeProvider time, ILogger logger, Func<IReadOnlyCollection<SandboxJournal>> live)
    {
        (_paths, _options, _time, _logger, _live) = (paths, options, time, logger, live);
        _timer = time.CreateTimer(static state => ((JournalDisk)state!).Remove(), this, Pause, Pause);
    }

    /// <summary>Bytes of all journals, live and ended.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>From here on something is removed.</summary>
    private long High => _options.JournalBytes - (_options.JournalBytes / 16);

    /// <summary>Down to here.</summary>
    private long Low => _options.JournalBytes - (_options.JournalBytes / 8);

    /// <summary>Counts the journals that are there when an engine starts; once, before the first sandbox.</summary>
    public void Count()
    {
        var found = JournalPaths.In(_paths.EndedRoot).Select(Measure).OfType<EndedJournal>().OrderBy(j => j.At).ToArray();
        lock (_lock)
        {
            foreach (var journal in found)
            {
                _ended.Add(journal);
                _bytes += journal.Bytes;
            }
        }

        RemoveBehind();
    }

    /// <summary>A live journal grew, or shrank.</summary>
    public void Note(long bytes)
    {
        if (Interlocked.Add(ref _bytes, bytes) > High && bytes > 0)
        {
            RemoveBehind();
        }
    }

    /// <summary>A live journal, counted so far as it was written, has ended.</summary>
    public void NoteEnd(SandboxJournal journal)
    {
        int count;
        lock (_lock)
        {
            _ended.Add(new EndedJournal(journal.Sandbox, journal.Owner, _time.GetUtcNow(), journal.DiskBytes + Overhead));
            count = _ended.Count;
        }

        if (Interlocked.Add(ref _bytes, Overhead) > High || count > MaxEnded)
        {
            RemoveBehind();
        }
    }

    /// <summary>Removes what is too old and too much; never throws.</summary>
    public void Remove()
    {
        if (Interlocked.Exchange(ref _removing, 1) != 0)
        {
            return; // whoever is at it looks at what has come meanwhile
        }

        try
        {
            lock (_pass)
            {
                RemoveOld();
                MakeRoom();
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            _logger.JournalSweepFailed(failure);
        }
        finally
        {
            Volatile.Write(ref _removing, 0);
        }
    }

    /// <summary>When this returns nothing is removed any more: the next engine may have the directory.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        _over = true;
        lock (_pass)
        {
            // Whoever was at it is done.
        }
    }

    private void RemoveBehind()
    {
        if (Volatile.Read(ref _removing) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static disk => disk.Remove(), this, preferLocal: false);
        }
    }

    private void RemoveOld()
    {
        var oldest = _time.GetUtcNow() - _options.JournalRetention;
        while (!_over && Take(ended => ended.TakeBefore(oldest) ?? (ended.Count > MaxEnded ? ended.TakeOfMost() : null)) is { } journal)
        {
            Delete(journal);
        }
    }

    private void MakeRoom()
    {
        if (Bytes <= High)
        {
            return;
        }

        var live = _live().GroupBy(journal => journal.Owner ?? "").ToDictionary(own => own.Key, own => own.ToArray());
        var least = new HashSet<string>();
        while (!_over && Bytes > Low && Holders(live).Where(h => !least.Contains(h.Owner)).MaxBy(h => h.Bytes) is { Owner: var owner } fullest)
        {
            if (Take(ended => ended.Take(owner)) is { } journal)
            {
                Delete(journal);
            }
            else if (Bytes <= High)
            {
                return; // for a margin nothing is taken from what lives
            }
            else if (CutLive(live.GetValueOrDefault(owner, []), Math.Max(Low / Holders(live).Count, fullest.Bytes - (Bytes - Low))) <= 0)
            {
                least.Add(owner); // nothing more can be taken from it; while anything can, nobody else pays for what it goes on writing
            }
        }
    }

    /// <summary>Who has any journals, and what those take, living and ended.</summary>
    private List<Holder> Holders(Dictionary<string, SandboxJournal[]> live)
    {
        lock (_lock)
        {
            return [.. _ended.Owners.Union(live.Keys).Select(owner => new Holder(owner, _ended.Bytes(owner) + live.GetValueOrDefault(owner, []).Sum(journal => journal.DiskBytes)))];
        }
    }

    private EndedJournal? Take(Func<EndedJournals, EndedJournal?> choose)
    {
        lock (_lock)
        {
            return choose(_ended);
        }
    }

    private void Delete(EndedJournal journal)
    {
        Interlocked.Add(ref _bytes, -journal.Bytes);
        if (_paths.Ended(journal.Sandbox) is var directory && Directory.Exists(directory))
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>Cuts living journals to so much together; returns how much went.</summary>
    private static long CutLive(SandboxJournal[] live, long keep) => live.Sum(journal => journal.Cut(Math.Max(LeastShare, keep / live.Length)));

    /// <summary>What an ended journal takes; null when somebody else removed it meanwhile.</summary>
    private EndedJournal? Measure(SandboxId sandbox)
    {
        DateTime? written = null;
        var bytes = (long)Overhead;
        var directory = new DirectoryInfo(_paths.Ended(sandbox));
        try
        {
            foreach (var file in directory.EnumerateFiles())
            {
                bytes += file.Length;
                written = file.LastWriteTimeUtc > (written ?? DateTime.MinValue) ? file.LastWriteTimeUtc : written;
            }
        }
        catch (IOException failure) when (failure is DirectoryNotFoundException or FileNotFoundException)
        {
            return null;
        }

        // Of one without a file (somebody's own, or a disk lost them) its directory tells the age.
        return new EndedJournal(sandbox, JournalFile.Owner(directory.FullName), new DateTimeOffset(written ?? directory.LastWriteTimeUtc, TimeSpan.Zero), bytes);
    }

    private sealed record Holder(string Owner, long Bytes);
}
