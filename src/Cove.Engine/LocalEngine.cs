using Cove.Engine.Doctor.Fixing;
using Cove.Engine.Isolation.Namespaces;
using Cove.Engine.Templates;
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
        options.Engine.Validate(); // before the backend's options are made of them
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

    /// <summary>The user that <see cref="DropPrivileges"/> becomes; null when this process is not root.</summary>
    public static int? ServiceUser(SandboxEngine engine)
    {
        ArgumentNullException.ThrowIfNull(engine);
        return (engine.Backend as NamespacesBackend)?.ServiceId;
    }

    /// <summary>
    /// Gives up root for good when this process has it: the launcher keeps what power is needed, behind its closed set of requests. Returns the
    /// user id this process then has; null when it was not root. What it must still open as root has to be open by now.
    /// </summary>
    public static int? DropPrivileges(SandboxEngine engine)
    {
        ArgumentNullException.ThrowIfNull(engine);
        if (engine.Backend is not NamespacesBackend { ServiceId: { } id })
        {
            return null;
        }

        LoadOwnAssemblies();
        engine.GiveJournalsTo((uint)id);
        Posix.BecomeForGood((uint)id);
        return id;
    }

    /// <summary>Assemblies load when they are first used. One in a folder that only root may read (a checkout under /root) must be loaded by then.</summary>
    private static void LoadOwnAssemblies()
    {
        var assemblies = (AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES") as string ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);
        // Telemetry that a server was not asked for is never used, and nothing waits for it to load.
        var exports = AppDomain.CurrentDomain.GetAssemblies().Any(a => IsExport(a.GetName().Name ?? ""));
        foreach (var directory in assemblies.Where(a => exports || !IsExport(Path.GetFileName(a))).GroupBy(a => Path.GetDirectoryName(a)!).Where(d => !IsReadableByAll(d.Key)))
        {
            foreach (var assembly in directory)
            {
                System.Runtime.Loader.AssemblyLoadContext.Default.LoadFromAssemblyPath(assembly);
            }
        }
    }

    private static bool IsExport(string name) => name.StartsWith("OpenTelemetry", StringComparison.Ordinal);

    private static bool IsReadableByAll(string directory)
    {
        for (var at = new DirectoryInfo(directory); at is not null; at = at.Parent)
        {
            if (!at.UnixFileMode.HasFlag(UnixFileMode.OtherExecute))
            {
                return false;
            }
        }

        return true;
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
        DelegatedGroup = Environment.IsPrivilegedProcess ? null : PreparedUser.GroupOf(Posix.EffectiveUserId()),
        TemplateRoots = TemplateRoots.Of(TemplateCatalog.Load(Engine.TemplatesDirectory, Engine.AddedTemplatesDirectory), StateDirectory),
    };
}
