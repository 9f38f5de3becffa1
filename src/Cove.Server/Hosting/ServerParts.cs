using Cove.Engine;
using Cove.Server.Health;
using Cove.Server.Tools;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cove.Server.Hosting;

/// <summary>What a server is put together from, besides its options.</summary>
internal sealed record ServerParts
{
    /// <summary>The engine all sandboxes live in.</summary>
    public required ICove Cove { get; init; }

    /// <summary>The boundary it draws.</summary>
    public required IsolationTier Isolation { get; init; }

    /// <summary>What is alive in it at this moment. Default: it can't say.</summary>
    public Func<EngineCensus> Census { get; init; } = () => EngineCensus.Empty;

    /// <summary>The program's version.</summary>
    public required string Version { get; init; }

    /// <summary>Where log messages go.</summary>
    public required ILoggerFactory Loggers { get; init; }

    /// <summary>What readiness depends on.</summary>
    public IReadOnlyList<HealthCheck> Checks { get; init; } = [];

    /// <summary>Registers what decides who asks; null when nothing does and every caller is the machine's owner.</summary>
    public Action<IServiceCollection>? AddAccess { get; init; }

    /// <summary>Sets the <see cref="Caller"/> of every request, or refuses it.</summary>
    public Action<IApplicationBuilder>? UseAccess { get; init; }

    /// <summary>The declared tools; disposed by whoever loaded them.</summary>
    public ServerTools Tools { get; init; } = ServerTools.None;

    /// <summary>Further front-ends.</summary>
    public Action<Routes>? MapMore { get; init; }

    /// <summary>Functions that the server offers as tools beside its own.</summary>
    public IReadOnlyList<Microsoft.Extensions.AI.AIFunction> Functions { get; init; } = [];

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}
