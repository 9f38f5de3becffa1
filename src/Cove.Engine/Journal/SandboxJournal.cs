using Cove.Wire;

namespace Cove.Engine.Journal;

/// <summary>
/// Everything that happened in one sandbox, in the order it happened: numbered through, on disk (when journals are) before anyone can see
/// it. A disk that fails ends the writing, not the sandbox: what follows is kept in memory only, and the log says so.
/// </summary>
internal sealed class SandboxJournal(SandboxId sandbox, string? owner, Journals journals, JournalFile? file)
{
    /// <summary>Runs that are known; of more the oldest that ended are forgotten.</summary>
    public const int MaxRuns = 1000;

    /// <summary>Bytes of sandbox events in memory: some thousands. Those before them are in the files, or gone.</summary>
    private const int EventBytes = 512 << 10;

    private readonly Lock _lock = new();
    private readonly Dictionary<RunId, RunLog> _runs = [];
    private readonly Queue<RunLog> _ended = new();
    private readonly Queue<RunLog> _heldRuns = new();
    private readonly EventWindow<SandboxEvent> _events = new(static e => e.Sequence, EventSize.Of);
    private SandboxInfo? _info;
    private SandboxEvent? _end;
    private JournalFile? _file = file;
    private long _sequence;
    private long _held;

    public SandboxId Sandbox => sandbox;

    /// <summary>To whom it is counted; null: to nobody in particular.</summary>
    public string? Owner => owner;

    public JournalBounds Bounds => journals.Memory.Bounds;

    /// <summary>Whether what memory lets go of can be read from files.</summary>
    public bool IsOnDisk => journals.Paths is not null;

    /// <summary>What it has on disk; after its end what it had then.</summary>
    public long DiskBytes { get; private set; }

    /// <summary>How many runs are known.</summary>
    public int RunCount
    {
        get
        {
            lock (_lock)
            {
                return _runs.Count;
            }
        }
    }

    /// <summary>The sandbox answers from now on.</summary>
    public void Begin(SandboxInfo info)
    {
        lock (_lock)
        {
            if (_end is not null)
            {
                return; // it ended before it began
            }

            _info = info;
            try
            {
                _file ??= journals.Paths is { } paths ? JournalFile.Create(paths.Live(sandbox), journals.MaxBytes) : null;
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                journals.Logger.JournalFailed(failure, sandbox);
            }

            Write_NeedsLock(null, info);
            Append_NeedsLock(new SandboxEvent { Sequence = ++_sequence, Time = info.CreatedAt, Type = "created" });
        }
    }

    /// <summary>Something happened to the sandbox. With <paramref name="info"/> what is known of it changed.</summary>
    public void Append(string type, SandboxInfo? info = null, string? kernel = null)
    {
        lock (_lock)
        {
            if (_end is not null)
            {
                return; // it came too late
            }

            if (info is not null)
            {
                _info = info;
                Write_NeedsLock(null, info);
            }

            Append_NeedsLock(new SandboxEvent { Sequence = ++_sequence, Time = journals.Time.GetUtcNow(), Type = type, Kernel = kernel });
        }
    }

    /// <summary>
    /// Writes down that the sandbox has ended, before anyone is told so: whatever becomes of this process, the next one knows why. Nothing is written
    /// after it. Who follows the events hears of it with <see cref="End"/>.
    /// </summary>
    public void WriteEnd(SandboxInfo info)
    {
        lock (_lock)
        {
            if (_end is not null)
            {
                return;
            }

            Write_NeedsLock(null, info);
            _end = new SandboxEvent { Sequence = ++_sequence, Time = journals.Time.GetUtcNow(), Type = "ended", EndReason = info.EndReason };
            Write_NeedsLock(null, _end);
            _file?.Dispose();
            _file = null;
        }
    }

    /// <summary>The sandbox ended and nothing of it is left: its last event is told.</summary>
    public void End(SandboxInfo info)
    {
        lock (_lock)
        {
            WriteEnd(info);
            _events.Append(_end!, last: false);
            _events.Trim(EventBytes);
            _events.End();
        }
    }

    /// <summary>An event of a run: on disk when this returns. Returns where.</summary>
    public JournalPosition Append(RunLog run, RunEvent next)
    {
        lock (_lock)
        {
            _sequence++;
            var position = Write_NeedsLock(run.Id, next);
            if (_end is null && JournalEvents.OfRun(_sequence, run.Id, next) is { } meaning)
            {
                _events.Append(meaning, last: false);
                _events.Trim(EventBytes);
            }

            return position;
        }
    }

    /// <summary>A run that has begun.</summary>
    public void Know(RunLog run)
    {
        lock (_lock)
        {
            _runs[run.Id] = run;
        }
    }

    /// <summary>A run that has ended: its events stay in memory while there is room.</summary>
    public void NoteEnd(RunLog run)
    {
        lock (_lock)
        {
            _ended.Enqueue(run);
            while (_runs.Count > MaxRuns && _ended.TryDequeue(out var oldest))
            {
                _runs.Remove(oldest.Id);
                journals.Memory.Remove(oldest, drop: IsOnDisk);
            }

            journals.Memory.Add(run);
            _held += run.HeldBytes;
            _heldRuns.Enqueue(run);
            while (_heldRuns.Count > 1 && (_held > Bounds.PerSandbox || _heldRuns.Count > MaxRuns))
            {
                var oldest = _heldRuns.Dequeue();
                _held -= oldest.HeldBytes;
                journals.Memory.Remove(oldest, drop: true);
            }
        }
    }

    /// <summary>Drops its oldest events on disk until it has at most so much there. Returns how much went.</summary>
    public long Cut(long most)
    {
        lock (_lock)
        {
            var before = DiskBytes;
            if (_file is null || before <= most)
            {
                return 0;
            }

            Write_NeedsLock(null, _info!, cut: most);
            return before - DiskBytes;
        }
    }

    public RunLog? Find(RunId run)
    {
        lock (_lock)
        {
            return _runs.GetValueOrDefault(run);
        }
    }

    /// <summary>The runs that are known, the newest first.</summary>
    public IReadOnlyList<RunInfo> Runs()
    {
        lock (_lock)
        {
            return [.. _runs.Values.Select(r => r.Info).OfType<RunInfo>().OrderByDescending(r => r.StartedAt).ThenByDescending(r => r.Id.Value, StringComparer.Ordinal).Take(MaxRuns)];
        }
    }

    /// <summary>What happened to the sandbox after an event.</summary>
    public IAsyncEnumerable<SandboxEvent> ReadAsync(long after, bool follow, CancellationToken cancellationToken) => new JournalStream<SandboxEvent>(
        _events, static e => e.Sequence, () => Cursor(default), static line => line.SandboxEvent(), static (_, _) => true)
        .ReadAsync(after, follow, cancellationToken);

    /// <summary>Reads the files from a place on; null where there are none.</summary>
    public JournalCursor? Cursor(JournalPosition start) => journals.Paths is { } paths ? new JournalCursor(paths, sandbox, start) : null;

    /// <summary>Nobody finds it from now on: what it holds of the engine's memory goes back.</summary>
    public void Release()
    {
        lock (_lock)
        {
            foreach (var run in _runs.Values)
            {
                journals.Memory.Remove(run, drop: IsOnDisk);
            }
        }
    }

    private void Append_NeedsLock(SandboxEvent next)
    {
        Write_NeedsLock(null, next);
        _events.Append(next, last: false);
        _events.Trim(EventBytes);
    }

    /// <summary>Writes a line; into a new segment when the last one is full, or with <paramref name="cut"/>, which says what the old ones may keep.</summary>
    private JournalPosition Write_NeedsLock(RunId? run, object content, long? cut = null)
    {
        if (_file is null)
        {
            return default;
        }

        using var lines = WireBuffer.Take();
        try
        {
            if (_file.IsFull || cut is not null)
            {
                _file.Rotate();
                _file.Drop(cut ?? long.MaxValue);
                JournalLine.Write(lines, _sequence, null, _info!, owner);
            }

            JournalLine.Write(lines, _sequence, run, content, owner);
            var position = _file.Position;
            _file.Append(lines.Bytes.WrittenSpan);
            var before = DiskBytes;
            DiskBytes = _file.Bytes;
            journals.Disk?.Note(DiskBytes - before);
            return position;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            journals.Logger.JournalFailed(failure, sandbox);
            _file.Dispose();
            _file = null;
            return default;
        }
    }
}
