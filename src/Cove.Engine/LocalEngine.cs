using Cove.Engine.Isolation.Namespaces;
using Microsoft.Extensions.Logging;

namespace Cove.Engine;

/// <summary>Puts an engine together for this host: the namespaces backend beneath, the engine above.</summary>
public static class LocalEngine
{
    /// <summary>
    /// Starts an engine. Throws <see cref="CoveException"/> with the fix when a promised protection is unavailable and was not allowed
    /// to be missing by name, or when a template does not load.
    /// </summary>
    public static async Task<SandboxEngine> StartAsync(
        LocalEngineOptions options, TimeProvider time, ILogger logger, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var backend = new NamespacesBackend(options.ForBackend(), time);
        var engine = new SandboxEngine(backend, options.Engine, time, logger);
        try
        {
            await engine.StartAsync(cancellationToken);
            return engine;
        }
        catch
        {
            await engine.DisposeAsync();
            throw;
        }
    }
}

/// <summary>Where a local engine finds its parts. All paths are absolute; nothing is taken from the working directory.</summary>
public sealed record LocalEngineOptions
{
    /// <summary>How the engine works.</summary>
    public required EngineOptions Engine { get; init; }

    /// <summary>The folder with the guest's sources.</summary>
    public required string GuestDirectory { get; init; }

    /// <summary>A directory of this user's own for what outlives an engine: caches, and templates' roots under <c>roots/</c>.</summary>
    public required string StateDirectory { get; init; }

    internal NamespacesOptions ForBackend() => new()
    {
        GuestDirectory = GuestDirectory,
        StateDirectory = StateDirectory,
        AllowDegraded = Engine.AllowDegraded,
        DelegatedGroup = Environment.IsPrivilegedProcess ? null : $"cove-user-{Posix.EffectiveUserId()}",
        TemplateRoots = Roots(Path.Combine(StateDirectory, "roots")),
    };

    private static Dictionary<string, string> Roots(string directory) => Directory.Exists(directory)
        ? Directory.EnumerateDirectories(directory).Where(d => !Path.GetFileName(d).Contains('.')).ToDictionary(d => Path.GetFileName(d)!)
        : [];
}

internal static partial class Posix
{
    [System.Runtime.InteropServices.LibraryImport("libc", EntryPoint = "geteuid")]
    internal static partial uint EffectiveUserId();
}
