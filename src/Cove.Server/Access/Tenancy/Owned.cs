using Cove.Server.Access.Quotas;
using Cove.Server.Bounds;

namespace Cove.Server.Access.Tenancy;

/// <summary>A living sandbox with its owner and what is counted for it.</summary>
internal sealed class Owned(SandboxInfo info, string project, string? key, ProjectQuota quota, ProjectQuota.Lease lease)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<RunId, Pending> _background = [];
    private TimeSpan _charged;
    private TimeSpan _told;
    private TimeSpan _soleUsed;
    private RunId? _sole;
    private int _open;
    private bool _touched;
    private bool _ended;

    public SandboxId Id => info.Id;

    /// <summary>As it was made.</summary>
    public SandboxInfo Made => info;

    public string Project => project;

    /// <summary>The key that it was made with.</summary>
    public string? Key => key;

    public ProjectQuota Quota => quota;

    /// <summary>Whether the host counts its processor time; null until somebody asked.</summary>
    public bool? IsMetered { get; set; }

    /// <summary>A run began. While it is the only one, what is used is its own.</summary>
    public void NoteRun(RunId run)
    {
        lock (_lock)
        {
            _sole = _open == 0 && _sole is null ? run : null;
            _soleUsed = TimeSpan.Zero;
            _open++;
            _touched = true;
        }
    }

    /// <summary>A run ended; the next reading tells what it used.</summary>
    public void NoteRunEnd()
    {
        lock (_lock)
        {
            _open = Math.Max(0, _open - 1);
            _touched = true;
        }
    }

    /// <summary>Whether a run is in progress, or was since the last reading.</summary>
    public bool HasRun
    {
        get
        {
            lock (_lock)
            {
                return _touched || _open > 0;
            }
        }
    }

    /// <summary>What was used since the last reading, and the run that ended with what it used, when it can be told apart.</summary>
    public (TimeSpan Delta, RunId? Run, TimeSpan RunUsed) Meter(TimeSpan used)
    {
        lock (_lock)
        {
            var delta = used > _charged ? used - _charged : TimeSpan.Zero;
            (_charged, _touched) = (_charged + delta, false);
            _soleUsed += delta;
            if (_open > 0)
            {
                return (delta, null, default);
            }

            var ended = (delta, _sole, _soleUsed);
            _sole = null;
            return ended;
        }
    }

    /// <summary>Adds what the engine told at an end; all that was told so far, and null when it can't tell.</summary>
    public TimeSpan? AddTold(TimeSpan? used)
    {
        lock (_lock)
        {
            _told += used ?? TimeSpan.Zero;
            return used is null ? null : _told;
        }
    }

    /// <summary>A run whose end nobody is listening for; it is looked for.</summary>
    public void Await(RunId run, Pending pending)
    {
        lock (_lock)
        {
            _background[run] = pending;
        }
    }

    /// <summary>Whether the run's end was still to be noted.</summary>
    public Pending? Settle(RunId run)
    {
        lock (_lock)
        {
            return _background.Remove(run, out var pending) ? pending : null;
        }
    }

    public IReadOnlyList<RunId> Awaited()
    {
        lock (_lock)
        {
            return [.. _background.Keys];
        }
    }

    /// <summary>Gives the room back, once.</summary>
    public void GiveBack() => lease.Dispose();

    /// <summary>Whether this is the first to note its end.</summary>
    public bool NoteEnd()
    {
        lock (_lock)
        {
            (var before, _ended) = (_ended, true);
            return !before;
        }
    }

    /// <summary>What is known of a run that is in progress; its input is in memory until it ends.</summary>
    internal sealed record Pending(string? Key, string Kind, DateTimeOffset StartedAt, HeldBytes? Input = null);
}
