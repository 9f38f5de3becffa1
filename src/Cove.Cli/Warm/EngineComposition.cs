using Cove.Engine;
using Cove.Engine.Doctor.Fixing;
using Cove.Engine.Isolation.Namespaces;
using Microsoft.Extensions.Logging;

namespace Cove.Cli.Warm;

/// <summary>The one place where the engine, its backend and its options come together.</summary>
internal static class EngineComposition
{
    /// <summary>The templates that came with the program.</summary>
    public static string TemplatesDirectory { get; } = Path.Combine(AppContext.BaseDirectory, "templates");

    /// <summary>How the backend is started, wherever one is: in an engine, by the doctor, by a benchmark.</summary>
    public static NamespacesOptions BackendOptions(EngineChoice choice)
    {
        return new NamespacesOptions
        {
            GuestDirectory = Path.Combine(AppContext.BaseDirectory, "guest"),
            StateDirectory = PrivateDirectory.State(),
            AllowDegraded = choice.AllowDegraded.ToHashSet(),
            DelegatedGroup = PreparedUser.GroupOf(Libc.EffectiveUser()),
        };
    }

    /// <summary>An engine that has started, with the boundary it draws.</summary>
    public static async Task<(ICove Cove, IsolationTier Isolation)> StartAsync(
        EngineChoice choice, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken)
    {
        var backend = new NamespacesBackend(BackendOptions(choice), time);
        var options = new EngineOptions { TemplatesDirectory = TemplatesDirectory, AllowDegraded = choice.AllowDegraded.ToHashSet() };
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
