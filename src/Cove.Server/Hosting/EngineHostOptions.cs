using Microsoft.Extensions.Logging;

namespace Cove.Server.Hosting;

/// <summary>How an engine is offered on a Unix socket.</summary>
internal sealed record EngineHostOptions
{
    /// <summary>Where it listens; its directory must belong to this user alone. A file that is left there is replaced, so the caller holds the engine's lock.</summary>
    public required string SocketPath { get; init; }

    /// <summary>Identifies the build; clients of another build are refused.</summary>
    public required string Build { get; init; }

    /// <summary>The boundary the engine draws, for its status.</summary>
    public required IsolationTier Isolation { get; init; }

    /// <summary>Ends the engine after this long without a request and without a sandbox. Default 10 minutes.</summary>
    public TimeSpan IdleLimit { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>The user whose processes may connect, besides root.</summary>
    public required uint OwnUser { get; init; }

    /// <summary>Called every few seconds, for example to keep the log within its bounds.</summary>
    public Action? OnTick { get; init; }

    /// <summary>Where messages go. Default: nowhere.</summary>
    public ILoggerProvider? Log { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
