using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Cove.Server.Access;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Cove.Server.Bounds;

/// <summary>
/// Who has the server's connections, and whether they read. Those over which no key was shown yet have a quarter of them: of more, the oldest is cut
/// off (of the newest one's address, when that has many), so that whoever opens connections and says nothing takes none from callers with a key. One project keeps half; its further ones are closed
/// after their answer. Who reads slower than the pace that is asked of it is cut off, wherever what it does not read lies.
/// </summary>
internal sealed class Connections : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Strangers _strangers;
    private readonly Dictionary<string, int> _projects = [];
    private readonly ConcurrentDictionary<HeldConnection, byte> _watched = new();
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private int _looking;

    public Connections(int most, TimeProvider time)
    {
        (_time, _strangers, MostOfProject) = (time, new Strangers(Math.Max(1, most / 4)), Math.Max(1, most / 2));
        _timer = time.CreateTimer(static state => ((Connections)state!).Look(), this, Pause, Pause);
    }

    public int MostOfProject { get; }

    /// <summary>Notes every connection from its first byte to its end.</summary>
    public ConnectionDelegate Guard(ConnectionDelegate next) => async connection =>
    {
        var held = new HeldConnection(this, connection);
        Enter(held)?.Connection.Abort(new ConnectionAbortedException("Too many connections show no key."));
        connection.Features.Set(held);
        if (held.Socket is not null)
        {
            _watched[held] = 0; // until its socket is closed: what is left to send may keep that open for longer than the last request
        }

        try
        {
            await next(connection);
        }
        finally
        {
            lock (_lock)
            {
                Forget_NeedsLock(held);
            }
        }
    };

    /// <summary>Whose a request's connection is; false when that project keeps as many as it may.</summary>
    public static bool TryKeep(HttpContext context, string project) => context.Features.Get<HeldConnection>() is not { } held || held.All.TryKeep(held, project);

    public ValueTask DisposeAsync() => _timer.DisposeAsync();

    /// <summary>Takes in a stranger; returns the one that has to go for it.</summary>
    private HeldConnection? Enter(HeldConnection held)
    {
        lock (_lock)
        {
            return _strangers.Enter(held);
        }
    }

    private bool TryKeep(HeldConnection held, string project)
    {
        if (held.Project == project)
        {
            return true;
        }

        lock (_lock)
        {
            if (_projects.GetValueOrDefault(project) >= MostOfProject)
            {
                return false;
            }

            Forget_NeedsLock(held);
            held.Project = project;
            _projects[project] = _projects.GetValueOrDefault(project) + 1;
            return true;
        }
    }

    private void Forget_NeedsLock(HeldConnection held)
    {
        _strangers.Leave(held);
        if (held.Project is { } project && --_projects[project] == 0)
        {
            _projects.Remove(project);
        }

        held.Project = null;
    }

    /// <summary>Looks at every reader once.</summary>
    private void Look()
    {
        if (Interlocked.Exchange(ref _looking, 1) != 0)
        {
            return;
        }

        var now = _time.GetTimestamp();
        foreach (var held in _watched.Keys)
        {
            if (SentBytes.Of(held.Socket!) is not { } sent)
            {
                _watched.TryRemove(held, out _);
            }
            else if (held.Watch.IsTooSlow(held.Pace, sent, now, _time))
            {
                held.Connection.Abort(new ConnectionAbortedException("The answer was read too slowly."));
            }
        }

        Volatile.Write(ref _looking, 0);
    }
}

/// <summary>One connection, and whose it is.</summary>
internal sealed class HeldConnection(Connections all, ConnectionContext connection)
{
    /// <summary>What its readings add up to; only the look changes it.</summary>
    public ReadingWatch Watch; // a field, since it is changed in place

    public Connections All => all;

    public ConnectionContext Connection => connection;

    /// <summary>Null where the transport has none.</summary>
    public Socket? Socket { get; } = connection.Features.Get<IConnectionSocketFeature>()?.Socket;

    /// <summary>How fast it must be read; null: as it likes.</summary>
    public ReadingPace? Pace { get; set; } = ReadingPace.OfStrangers;

    /// <summary>Where it comes from.</summary>
    public IPAddress Network { get; } = FailureLimiter.Network((connection.RemoteEndPoint as IPEndPoint)?.Address);

    /// <summary>Its place among those without a key; theirs to set.</summary>
    public Strangers.Place? Stranger { get; set; }

    /// <summary>The project that showed a key on it; theirs to set.</summary>
    public string? Project { get; set; }
}
