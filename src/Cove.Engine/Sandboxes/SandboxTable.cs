using System.Collections.Concurrent;

namespace Cove.Engine.Sandboxes;

/// <summary>The sandboxes that live, and the last 1,000 that ended.</summary>
internal sealed class SandboxTable
{
    private readonly ConcurrentDictionary<SandboxId, Sandbox> _live = new();
    private readonly EndedSandboxes _ended = new();

    public void Add(Sandbox sandbox) => _live[sandbox.Id] = sandbox;

    /// <summary>Moves a sandbox to those that ended.</summary>
    public void Retire(Sandbox sandbox)
    {
        // First among the ended, then no more among the living: a reader in between finds it twice, never not at all.
        _ended.Add(sandbox.Info);
        _live.TryRemove(sandbox.Id, out _);
    }

    public SandboxInfo Describe(SandboxId id) =>
        _live.TryGetValue(id, out var sandbox) ? sandbox.Info : _ended.Find(id) ?? throw Refusals.SandboxNotFound(id);

    /// <summary>A sandbox that lives; null otherwise.</summary>
    public Sandbox? Find(SandboxId id) => _live.GetValueOrDefault(id);

    /// <summary>A sandbox that accepts calls.</summary>
    public Sandbox Open(SandboxId id)
    {
        if (!_live.TryGetValue(id, out var sandbox))
        {
            throw _ended.Find(id) is { } ended ? Refusals.SandboxEnded(id, ended.EndReason) : Refusals.SandboxNotFound(id);
        }

        return sandbox.State == SandboxState.Ready ? sandbox : throw Refusals.SandboxEnded(id, sandbox.EndReason);
    }

    /// <summary>A sandbox to end; null when it has ended.</summary>
    public Sandbox? FindToEnd(SandboxId id)
    {
        if (_live.TryGetValue(id, out var sandbox))
        {
            return sandbox;
        }

        return _ended.Find(id) is not null ? null : throw Refusals.SandboxNotFound(id);
    }

    /// <summary>All that are known, also those that ended.</summary>
    public IEnumerable<SandboxInfo> All() => _live.Values.Select(s => s.Info).Concat(_ended.All()).DistinctBy(i => i.Id);

    /// <summary>Those that have not ended.</summary>
    public IEnumerable<SandboxInfo> NotEnded() => _live.Values.Select(s => s.Info).Where(i => i.State != SandboxState.Ended);

    /// <summary>A sandbox that ended before this engine started.</summary>
    public void AddEnded(SandboxInfo info) => _ended.Add(info);

    public IReadOnlyList<Sandbox> Live() => [.. _live.Values];
}

/// <summary>What is remembered of sandboxes that ended: the last 1,000, so that a caller can learn why.</summary>
internal sealed class EndedSandboxes
{
    public const int Capacity = 1000;

    private readonly Lock _lock = new();
    private readonly Queue<SandboxId> _order = new();
    private readonly Dictionary<SandboxId, SandboxInfo> _infos = [];

    public void Add(SandboxInfo info)
    {
        lock (_lock)
        {
            if (!_infos.TryAdd(info.Id, info))
            {
                return;
            }

            _order.Enqueue(info.Id);
            if (_order.Count > Capacity)
            {
                _infos.Remove(_order.Dequeue());
            }
        }
    }

    public IReadOnlyList<SandboxInfo> All()
    {
        lock (_lock)
        {
            return [.. _infos.Values];
        }
    }

    public SandboxInfo? Find(SandboxId id)
    {
        lock (_lock)
        {
            return _infos.GetValueOrDefault(id);
        }
    }
}
