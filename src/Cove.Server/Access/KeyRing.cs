using System.Collections.Concurrent;
using System.Collections.Frozen;
using Cove.Server.Hosting;
using Cove.Server.State;

namespace Cove.Server.Access;

/// <summary>A key that was found valid, and its project.</summary>
internal sealed record Holder(string Project, Scopes Scopes, string? Key, string? KeyName);

/// <summary>
/// Says whose a key is. What was read is believed for a second, so that a revocation by another process takes effect within two;
/// when the database does not answer, nobody is let in.
/// </summary>
internal sealed class KeyRing(StateStore state)
{
    private const int Remembered = 4096;
    private static readonly TimeSpan Belief = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan UseNoted = TimeSpan.FromMinutes(1);

    /// <summary>Compared with when there is no such key, so that this takes as long.</summary>
    private static readonly string Nobody = new('0', 64);

    private static readonly Ids _none = new(FrozenSet<string>.Empty, DateTimeOffset.MinValue);

    private readonly ConcurrentDictionary<string, Known> _known = new();
    private readonly Lock _lock = new();
    private Task<Ids> _reading = Task.FromResult(_none);
    private volatile Ids _ids = _none;

    /// <summary>
    /// Whether there may be such a key, from what was read of them at most a second ago: who sends many that do not exist has the database asked once
    /// a second, however many they are. (The ids are no secret; what counts is compared afterwards.)
    /// </summary>
    public async ValueTask<bool> MayHoldAsync(string? text)
    {
        if (!ApiKey.TryParse(text, out var key))
        {
            return false;
        }

        var ids = _ids;
        return ids.All.Contains(key.Id) || (IsOld(ids) && (await ReadIdsAsync()).All.Contains(key.Id));
    }

    /// <summary>The key's holder; null and the reason (for the audit log alone) when it lets nobody in.</summary>
    public async ValueTask<(Holder? Holder, string? Reason)> FindAsync(string? text)
    {
        if (!ApiKey.TryParse(text, out var key))
        {
            return (null, "malformed");
        }

        var now = state.Time.GetUtcNow();
        var known = await KnownAsync(key.Id, now);
        var matches = key.Matches(known?.Stored.Hash ?? Nobody);
        if (known is null || !matches)
        {
            return (null, known is null ? "unknown" : "wrong");
        }

        if (known.Stored.RevokedAt is not null || known.Stored.ExpiresAt <= now)
        {
            return (null, KeyDesk.Status(known.Stored, now));
        }

        if (known.NoteUse(now, UseNoted))
        {
            await state.Writer.AddAsync(KeyTable.Used(key.Id, now));
        }

        return (known.Holder, null);
    }

    /// <summary>Why a key that was valid is no more; null while it is. Asks the database when what is known is older than a second.</summary>
    public async ValueTask<string?> WhyRefusedAsync(string id)
    {
        var now = state.Time.GetUtcNow();
        return await KnownAsync(id, now) is not { } known ? "unknown"
            : known.Stored.RevokedAt is not null || known.Stored.ExpiresAt <= now ? KeyDesk.Status(known.Stored, now)
            : null;
    }

    private bool IsOld(Ids ids) => state.Time.GetUtcNow() is var now && (now - ids.ReadAt >= Belief || now < ids.ReadAt);

    /// <summary>One reads for all who ask meanwhile.</summary>
    private Task<Ids> ReadIdsAsync()
    {
        lock (_lock)
        {
            return _reading.IsCompleted && IsOld(_ids) ? _reading = ReadAsync() : _reading;
        }

        async Task<Ids> ReadAsync()
        {
            var now = state.Time.GetUtcNow();
            return _ids = new Ids((await state.Keys.IdsAsync()).ToFrozenSet(StringComparer.Ordinal), now);
        }
    }

    private async ValueTask<Known?> KnownAsync(string id, DateTimeOffset now)
    {
        if (_known.TryGetValue(id, out var known) && now - known.ReadAt < Belief && now >= known.ReadAt)
        {
            return known;
        }

        // Unknown ids are not remembered: whoever invents them must not fill the memory. The flood itself is bounded by address.
        if (await state.Keys.FindAsync(id) is not { } stored)
        {
            _known.TryRemove(id, out _);
            return null;
        }

        if (_known.Count >= Remembered)
        {
            _known.Clear();
        }

        var fresh = new Known(stored, now, known?.UsedAt ?? stored.LastUsedAt?.UtcTicks ?? 0);
        _known[id] = fresh;
        return fresh;
    }

    private sealed record Ids(FrozenSet<string> All, DateTimeOffset ReadAt);

    private sealed class Known(StoredKey stored, DateTimeOffset readAt, long usedAt)
    {
        private long _usedAt = usedAt;

        public StoredKey Stored => stored;

        public DateTimeOffset ReadAt => readAt;

        public long UsedAt => Volatile.Read(ref _usedAt);

        public Holder Holder { get; } = new(stored.Project, (Scopes)stored.Scopes, stored.Id, stored.Name);

        /// <summary>Whether this use is the first in a while.</summary>
        public bool NoteUse(DateTimeOffset now, TimeSpan every)
        {
            var before = UsedAt;
            return now.UtcTicks - before >= every.Ticks && Interlocked.CompareExchange(ref _usedAt, now.UtcTicks, before) == before;
        }
    }
}
