using Cove.Engine;
using Microsoft.Extensions.Logging;

namespace Cove.Cli.Warm;

/// <summary>The one place where the engine, its backend and its options come together.</summary>
internal static class EngineComposition
{
    /// <summary>How an engine is put together here, whoever needs one: the warm engine, the doctor, a benchmark.</summary>
    public static LocalEngineOptions Options(EngineChoice choice)
    {
        var state = PrivateDirectory.State();
        return new LocalEngineOptions
        {
            Engine = new EngineOptions
            {
                TemplatesDirectory = Path.Combine(AppContext.BaseDirectory, "templates"),
                AddedTemplatesDirectory = Path.Combine(state, "templates"),
                AllowDegraded = choice.AllowDegraded.ToHashSet(),
            },
            GuestDirectory = Path.Combine(AppContext.BaseDirectory, "guest"),
            StateDirectory = state,
        };
    }

    /// <summary>An engine that has started.</summary>
    public static Task<SandboxEngine> StartAsync(EngineChoice choice, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken) =>
        LocalEngine.StartAsync(Options(choice), time, loggers.CreateLogger<SandboxEngine>(), cancellationToken);
}
