using Cove.Engine;
using Cove.Engine.Isolation.Namespaces;
using Microsoft.Extensions.Logging;

namespace Cove.Cli.Warm;

/// <summary>The one place where the engine, its backend and its options come together.</summary>
internal static class EngineComposition
{
    /// <summary>An engine that has started, with the boundary it draws.</summary>
    public static async Task<(ICove Cove, IsolationTier Isolation)> StartAsync(
        EngineChoice choice, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken)
    {
        var allowed = choice.AllowDegraded.ToHashSet();
        var backend = new NamespacesBackend(
            new NamespacesOptions
            {
                GuestDirectory = Path.Combine(AppContext.BaseDirectory, "guest"),
                StateDirectory = PrivateDirectory.State(),
                AllowDegraded = allowed,
            },
            time);
        var options = new EngineOptions { TemplatesDirectory = Path.Combine(AppContext.BaseDirectory, "templates"), AllowDegraded = allowed };
        var engine = new SandboxEngine(backend, options, time, loggers.CreateLogger<SandboxEngine>());
        try
        {
            await engine.StartAsync(cancellationToken);
            return (engine, backend.Tier);
        }
        catch
        {
            await engine.DisposeAsync();
            throw;
        }
    }
}
