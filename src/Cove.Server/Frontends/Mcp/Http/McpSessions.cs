using System.Collections.Concurrent;
using System.Security.Cryptography;
using ModelContextProtocol.Server;

namespace Cove.Server.Frontends.Mcp.Http;

/// <summary>How many sessions there may be, and for how long.</summary>
internal sealed record McpSessionLimits
{
    /// <summary>Sessions of one project; the one that was idle for longest makes room. Default 64.</summary>
    public int PerProject { get; init; } = 64;

    /// <summary>Sessions in all; more are refused. Default 2,000.</summary>
    public int All { get; init; } = 2000;

    /// <summary>How long one may be idle. Default 30 minutes.</summary>
    public TimeSpan Idle { get; init; } = TimeSpan.FromMinutes(30);
}

/// <summary>The sessions of callers that speak a revision before 2026-07-28. A session is its caller's alone; for everybody else it is not there.</summary>
internal sealed class McpSessions : IAsyncDisposable
{
    private static readonly TimeSpan LookPause = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, McpSession> _sessions = new(StringComparer.Ordinal);
    private readonly McpSessionLimits _limits;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Lock _lock = new();

    public McpSessions(McpSessionLimits limits, TimeProvider time)
    {
        (_limits, _time) = (limits, time);
        _timer = time.CreateTimer(static state => ((McpSessions)state!).EndIdle(), this, LookPause, LookPause);
    }

    /// <summary>How many there are.</summary>
    public int Count => _sessions.Count;

    /// <summary>A new session; null when there are too many.</summary>
    public McpSession? Begin(SessionOwner owner, Func<string, (StreamableHttpServerTransport Transport, McpServer Server)> make)
    {
        McpSession? oldest = null;
        try
        {
            lock (_lock)
            {
                var own = _sessions.Values.Where(session => session.Owner.Project == owner.Project).ToArray();
                var room = own.Length < _limits.PerProject && _sessions.Count < _limits.All;
                if (!room)
                {
                    // Only where its own are too many: a project never makes room for another.
                    oldest = own.Length < _limits.PerProject ? null : own.OrderBy(session => session.LastUse).FirstOrDefault(session => session.TryRetire());
                    if (oldest is null)
                    {
                        return null;
                    }

                    _sessions.TryRemove(oldest.Id, out _);
                }

                // 256 bits: nobody guesses one, and who did would still need its owner's key.
                var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
                var (transport, server) = make(id);
                return _sessions[id] = new McpSession(id, owner, transport, server, _time);
            }
        }
        finally
        {
            if (oldest is not null)
            {
                _ = oldest.DisposeAsync().AsTask();
            }
        }
    }

    /// <summary>The caller's session of this id; null when there is none, or when it is another's.</summary>
    public McpSession? Find(string id, SessionOwner owner) => _sessions.TryGetValue(id, out var session) && session.Owner == owner ? session : null;

    /// <summary>Ends the caller's session; false when there is none.</summary>
    public async Task<bool> EndAsync(string id, SessionOwner owner)
    {
        if (Find(id, owner) is not { } session || !_sessions.TryRemove(id, out _))
        {
            return false;
        }

        await session.DisposeAsync();
        return true;
    }

    public async ValueTask DisposeAsync()
    {
        await _timer.DisposeAsync();
        foreach (var id in _sessions.Keys)
        {
            if (_sessions.TryRemove(id, out var session))
            {
                await session.DisposeAsync();
            }
        }
    }

    private void EndIdle()
    {
        foreach (var session in _sessions.Values.Where(session => _time.GetElapsedTime(session.LastUse) > _limits.Idle))
        {
            if (session.TryRetire() && _sessions.TryRemove(session.Id, out _))
            {
                _ = session.DisposeAsync().AsTask();
            }
        }
    }
}

/// <summary>Whose a session is.</summary>
/// <param name="Project">The project.</param>
/// <param name="Key">The key; null for the owner of the machine.</param>
internal sealed record SessionOwner(string Project, string? Key);

/// <summary>One session: a transport and the server behind it, for as long as it is used.</summary>
internal sealed class McpSession : IAsyncDisposable
{
    private const int Retired = -1;

    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _running;
    private int _uses; // Retired: nobody begins another
    private long _lastUse;
    private volatile bool _hasEnded;

    public McpSession(string id, SessionOwner owner, StreamableHttpServerTransport transport, McpServer server, TimeProvider time)
    {
        (Id, Owner, Transport, Server, _time) = (id, owner, transport, server, time);
        _lastUse = time.GetTimestamp();
        _running = server.RunAsync(_ended.Token);
    }

    public string Id { get; }

    public SessionOwner Owner { get; }

    public StreamableHttpServerTransport Transport { get; }

    public McpServer Server { get; }

    /// <summary>Whether it was ended, also under a message that is being answered.</summary>
    public bool HasEnded => _hasEnded;

    /// <summary>When it was used last, as a timestamp.</summary>
    public long LastUse => Volatile.Read(ref _lastUse);

    /// <summary>Whether a message may be answered in it, which keeps it from being retired until then; false when it was.</summary>
    public bool TryEnter()
    {
        int uses;
        do
        {
            uses = Volatile.Read(ref _uses);
            if (uses == Retired)
            {
                return false;
            }
        }
        while (Interlocked.CompareExchange(ref _uses, uses + 1, uses) != uses);

        return true;
    }

    /// <summary>Lets nobody in any more; false while a message is being answered.</summary>
    public bool TryRetire() => Interlocked.CompareExchange(ref _uses, Retired, 0) == 0;

    /// <summary>Answers a message that has entered; false when there is nothing to answer.</summary>
    public async Task<bool> PostAsync(ModelContextProtocol.Protocol.JsonRpcMessage message, Stream answer, CancellationToken cancellationToken)
    {
        try
        {
            return await Transport.HandlePostRequestAsync(message, answer, cancellationToken);
        }
        finally
        {
            Volatile.Write(ref _lastUse, _time.GetTimestamp());
            Interlocked.Decrement(ref _uses);
        }
    }

    /// <summary>Ends it, and what it has in progress.</summary>
    public async ValueTask DisposeAsync()
    {
        _hasEnded = true;
        await _ended.CancelAsync();
        await Server.DisposeAsync();
        await Transport.DisposeAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ended.Dispose();
    }
}
