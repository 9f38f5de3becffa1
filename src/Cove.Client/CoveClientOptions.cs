namespace Cove.Client;

/// <summary>Where Cove is and how to talk to it.</summary>
public sealed record CoveClientOptions
{
    /// <summary>The server's address, when it is reached over TCP. Ignored when <see cref="UnixSocket"/> is set.</summary>
    public Uri? Server { get; init; }

    /// <summary>The path of the engine's Unix socket.</summary>
    public string? UnixSocket { get; init; }

    /// <summary>The user ids the process behind <see cref="UnixSocket"/> may have; null accepts any. The kernel tells who it is.</summary>
    public IReadOnlyCollection<uint>? AcceptedUsers { get; init; }

    /// <summary>Sent as <c>X-Cove-Build</c>: an engine of another build refuses. Default: not sent.</summary>
    public string? Build { get; init; }

    /// <summary>The API key, sent as <c>X-API-Key</c>. Over <c>http://</c> it can be read on the way: use <c>https://</c> for any server that is not on this machine. Default: none.</summary>
    public string? ApiKey
    {
        get;
        init => field = value is null || (value.Length is > 0 and <= 512 && value.All(c => c is > ' ' and <= '~'))
            ? value
            : throw new ArgumentException("An API key is 1 to 512 visible ASCII characters without spaces.", nameof(value));
    }

    /// <summary>How long an interrupted run may take to report its end before it is killed, and again before it is given up. Default 5 s.</summary>
    public TimeSpan InterruptGrace { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>
    /// Whether a run that is read with <see cref="ICove.RunAsync"/> is interrupted when its connection breaks. Default: yes over a Unix socket (who
    /// asked has gone), no over TCP, where a stream that breaks is taken up again.
    /// </summary>
    public bool? InterruptOnDisconnect { get; init; }

    /// <summary>
    /// How long a stream that broke is tried to be taken up again, since its last event, before the run's end is given as <c>connection_lost</c>. Default 60 s;
    /// pauses between tries grow from 100 ms to 5 s.
    /// </summary>
    public TimeSpan ResumeLimit { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// How often a call to a server that failed in passing, or was told to wait (at most 10 s), is sent again where nothing can happen twice: what only reads, and what
    /// creates, which carries an <c>Idempotency-Key</c>. Default 2; 0 to 10.
    /// </summary>
    public int Retries
    {
        get;
        init => field = value is >= 0 and <= 10 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "Retries is 0 to 10.");
    } = 2;

    /// <summary>The clock of these times.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>A server as the environment names it: <c>COVE_URL</c> (default <c>http://127.0.0.1:8787</c>) and <c>COVE_API_KEY</c>.</summary>
    public static CoveClientOptions FromEnvironment()
    {
        var text = Environment.GetEnvironmentVariable("COVE_URL") is { Length: > 0 } set ? set : "http://127.0.0.1:8787";
        if (!Uri.TryCreate(text, UriKind.Absolute, out var server) || server.Scheme is not ("http" or "https"))
        {
            throw Failures.BadAddress("COVE_URL", text);
        }

        return new CoveClientOptions { Server = server, ApiKey = Environment.GetEnvironmentVariable("COVE_API_KEY") is { Length: > 0 } key ? key : null };
    }

    internal bool InterruptsOnDisconnect => InterruptOnDisconnect ?? UnixSocket is not null;

    internal string Address => UnixSocket ?? Server?.ToString() ?? "";
}
