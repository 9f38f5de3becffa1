using Cove.Engine;
using Cove.Engine.Isolation.Namespaces;
using Microsoft.Extensions.Logging;

namespace Cove.Cli.Warm;

/// <summary>The one place where the engine, its backend and its options come together.</summary>
internal static class EngineComposition
{
    /// <summary>The templates that came with the program.</summary>
    public static string TemplatesDirectory { get; } = Path.Combine(AppContext.BaseDirectory, "templates");

    public static LocalEngineOptions Options(EngineChoice choice) => new()
    {
        Engine = new EngineOptions
        {
            TemplatesDirectory = TemplatesDirectory,
            AllowDegraded = choice.AllowDegraded.ToHashSet(),
        },
        GuestDirectory = Path.Combine(AppContext.BaseDirectory, "guest"),
        StateDirectory = PrivateDirectory.State(),
    };

    /// <summary>How the backend is started, wherever one is: in an engine, by the doctor, by a benchmark.</summary>
    public static NamespacesOptions BackendOptions(EngineChoice choice) => Options(choice).ForBackend();

    /// <summary>An engine that has started.</summary>
    public static Task<SandboxEngine> StartAsync(EngineChoice choice, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken) =>
        LocalEngine.StartAsync(Options(choice), time, loggers.CreateLogger<SandboxEngine>(), cancellationToken);
}
