using Cove.Server.Access.Quotas;

namespace Cove.Server.Access.Tenancy;

/// <summary>A living sandbox with its owner and what is counted for it.</summary>
internal sealed class Owned(SandboxInfo info, string project, ProjectQuota quota, ProjectQuota.Lease lease)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<RunId, Pending> _background = [];
    private TimeSpan _charged;
    private int _runs;
    private RunId? _lastRun;
    private bool _ended;

    public SandboxId Id => info.Id;

    /// <summary>As it was made.</summary>
    public SandboxInfo Made => info;

    public string Project => project;

    public ProjectQuota Quota => quota;

    /// <summary>A run began: for as long as no other begins, what is used next is this run's.</summary>
    public void NoteRun(RunId run)
    {
        lock (_lock)
        {
            _runs++;
            _lastRun = run;
        }
    }

    /// <summary>Whether a run began since the last reading.</summary>
    public bool HasRun => Volatile.Read(ref _runs) > 0;

    /// <summary>What was used since the last reading, and the run it can be told to be of.</summary>
    public (TimeSpan Delta, RunId? Run) Meter(TimeSpan used)
    {
        lock (_lock)
        {
            var delta = used > _charged ? used - _charged : TimeSpan.Zero;
            _charged = used > _charged ? used : _charged;
            var run = _runs == 1 && _background.Count == 0 ? _lastRun : null;
            _runs = 0;
            return (delta, run);
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

    /// <summary>What is known of a run that is in progress.</summary>
    internal sealed record Pending(string? Key, string Kind, DateTimeOffset StartedAt);
}
