using Microsoft.Extensions.Logging;

namespace Cove.Cli.Warm;

/// <summary>The one place where the engine, its backend and its options come together.</summary>
internal static class EngineComposition
{
    public static Task<(ICove Cove, IsolationTier Isolation)> StartAsync(EngineChoice choice, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken)
    {
        _ = (choice, loggers, time, cancellationToken);
        throw Errors.Host("no_engine", "This build has no engine yet.", "Wait for it.");
    }
}
