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

    /// <summary>The clock of these times.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    internal bool InterruptsOnDisconnect => InterruptOnDisconnect ?? UnixSocket is not null;

    internal string Address => UnixSocket ?? Server?.ToString() ?? "";
}
