using Microsoft.Extensions.Logging;

namespace Cove.Engine.Journal;

/// <summary>
/// Keeps all journals of an engine within their bound, counted as they are written: near it the oldest ended journals go, and when the live ones
/// alone are too much, each is cut to an equal share. Ended ones also go when they are too old or too many. What is looked at is a count in memory,
/// at every write and every end; the removing is done behind it, from a margin on, so that the bound itself is not reached.
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
    private readonly Queue<Ended> _ended = new();
    private readonly ITimer _timer;
    private long _bytes;
    private int _removing;

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
        var found = JournalPaths.In(_paths.EndedRoot).Select(Measure).OrderBy(j => j.At).ToArray();
        lock (_lock)
        {
            foreach (var journal in found)
            {
                _ended.Enqueue(journal);
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
    public void NoteEnd(SandboxId sandbox, long bytes)
    {
        int count;
        lock (_lock)
        {
            _ended.Enqueue(new Ended(sandbox, _time.GetUtcNow(), bytes + Overhead));
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
            RemoveEnded();
            if (Bytes > High)
            {
                CutLive();
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

    public void Dispose() => _timer.Dispose();

    private void RemoveBehind()
    {
        if (Volatile.Read(ref _removing) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(static disk => disk.Remove(), this, preferLocal: false);
        }
    }

    private void RemoveEnded()
    {
        var oldest = _time.GetUtcNow() - _options.JournalRetention;
        var most = Bytes > High ? Low : High;
        while (Next(oldest, most) is { } journal)
        {
            Interlocked.Add(ref _bytes, -journal.Bytes);
            if (_paths.Ended(journal.Sandbox) is var directory && Directory.Exists(directory))
            {
                Directory.Delete(directory, recursive: true);
            }
        }
    }

    private Ended? Next(DateTimeOffset oldest, long most)
    {
        lock (_lock)
        {
            return _ended.TryPeek(out var first) && (first.At < oldest || Bytes > most || _ended.Count > MaxEnded) ? _ended.Dequeue() : null;
        }
    }

    /// <summary>No ended journal is left to remove: the live ones take too much.</summary>
    private void CutLive()
    {
        var live = _live();
        var share = Math.Max(LeastShare, Low / Math.Max(1, live.Count));
        foreach (var journal in live)
        {
            journal.Cut(share);
        }
    }

    private Ended Measure(SandboxId sandbox)
    {
        var written = DateTime.UnixEpoch;
        var bytes = (long)Overhead;
        foreach (var file in new DirectoryInfo(_paths.Ended(sandbox)).EnumerateFiles())
        {
            bytes += file.Length;
            written = file.LastWriteTimeUtc > written ? file.LastWriteTimeUtc : written;
        }

        return new Ended(sandbox, new DateTimeOffset(written, TimeSpan.Zero), bytes);
    }

    private sealed record Ended(SandboxId Sandbox, DateTimeOffset At, long Bytes);
}
