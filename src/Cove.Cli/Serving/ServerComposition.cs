using Cove.Cli.Warm;
using Cove.Engine;
using Cove.Server.Access;
using Cove.Server.Access.Tenancy;
using Cove.Server.Bounds;
using Cove.Server.Health;
using Cove.Server.Hosting;
using Cove.Server.Settings;
using Cove.Server.State;
using Microsoft.Extensions.Logging;

namespace Cove.Cli.Serving;

/// <summary>The one place where a server, its engine and what stands between them come together.</summary>
internal static class ServerComposition
{
    public static string Version { get; } = typeof(ServerComposition).Assembly.GetName().Version?.ToString(3) ?? "0";

    /// <summary>An engine that has started, with the server's bounds.</summary>
    public static Task<SandboxEngine> StartEngineAsync(ServerOptions options, ILoggerFactory loggers, ToldEnds ends, TimeProvider time, CancellationToken cancellationToken)
    {
        var local = EngineComposition.Options(new EngineChoice { AllowDegraded = options.AllowDegraded });
        var bounded = local with
        {
            Engine = local.Engine with { MaxSandboxes = options.MaxSandboxes, PoolSize = options.PoolSize, JournalDirectory = Path.Combine(options.DataDirectory, "journal"), OnSandboxEnded = ends.Tell, OnRunEnded = ends.Tell },
        };
        return LocalEngine.StartAsync(bounded, time, loggers.CreateLogger<SandboxEngine>(), cancellationToken);
    }

    /// <summary>What must outlive the server.</summary>
    public static Task<StateStore> OpenStateAsync(ServerOptions options, ILoggerFactory loggers, TimeProvider time) =>
        StateStore.OpenAsync(new StateOptions { DataDirectory = options.DataDirectory, DirectoryIsHeld = true, Database = options.Database, Retention = options.Retention, Time = time }, loggers.CreateLogger<StateStore>());

    /// <summary>Keys, projects, quotas and audit.</summary>
    public static Task<AccessControl> StartAccessAsync(SandboxEngine engine, StateStore state, ServerOptions options, ToldEnds ends, ILoggerFactory loggers) =>
        AccessControl.StartAsync(engine, state, Access(options) with { CpuTime = engine.CpuTime, Ends = ends }, loggers.CreateLogger<AccessControl>());

    /// <summary>Who is let in.</summary>
    public static AccessOptions Access(ServerOptions options) => new()
    {
        LoopbackOnly = options.IsLoopbackOnly,
        Address = string.Join(", ", options.Urls),
        AllowAnonymous = options.AllowAnonymous,
        ProvidedKey = options.ProvidedKey,
        Quotas = options.Quotas,
        FailuresPerMinute = options.FailuresPerMinute,
        AuditReads = options.AuditReads,
        MaxHeldBytes = options.HeldBytes ?? HeldMemory.Default(),
        ReadTime = options.ReadTime,
        MaxOpenRequests = Math.Max(1, options.MaxConnections / 2),
    };

    /// <summary>What the server is put together from. Access control and further front-ends are added here.</summary>
    public static ServerParts Parts(SandboxEngine engine, AccessControl access, StateStore state, ILoggerFactory loggers, TimeProvider time) => new()
    {
        Cove = engine,
        Isolation = engine.Tier,
        Census = engine.Census,
        Version = Version,
        Loggers = loggers,
        UseAccess = access.Use,
        Checks = [new HealthCheck("database", state.FaultAsync)],
        Time = time,
    };
}
