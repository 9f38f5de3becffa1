using Cove.Engine.Templates;

namespace Cove.Engine.Isolation;

/// <summary>
/// The low seam: one way to draw a boundary around untrusted code. It carries bytes and limits, never API shapes; runs, budgets,
/// journals and kernels are written once, above it, for all backends.
/// </summary>
internal interface IIsolationBackend : IAsyncDisposable
{
    /// <summary>What it can do; what it cannot is refused above, never imitated.</summary>
    BackendCapabilities Capabilities { get; }

    /// <summary>The boundary as achieved on this host. Known once <see cref="StartAsync"/> has returned.</summary>
    IsolationTier Tier { get; }

    /// <summary>Starts what cells are made from. Throws <see cref="CoveException"/> (<c>protection_unavailable</c>) when a promised protection is missing and not allowed by name.</summary>
    Task StartAsync(CancellationToken cancellationToken);

    /// <summary>Loads a template's modules so that cells of it start fast, and says what was found in it. May be called again to replace what was loaded.</summary>
    Task<TemplateFacts> PrepareAsync(Template template, CancellationToken cancellationToken);

    /// <summary>Draws a fresh boundary. No guest code runs in it; a backend may have a kernel waiting there, which the first <see cref="Cell.StartKernelAsync"/> hands out.</summary>
    Task<Cell> StartCellAsync(Template template, SandboxLimits limits, CancellationToken cancellationToken);
}

/// <summary>What a backend can do.</summary>
internal sealed record BackendCapabilities
{
    /// <summary>The backend's name as it appears in results.</summary>
    public required string Name { get; init; }

    /// <summary>Whether a live copy of a cell can be made, and of what.</summary>
    public required ForkCapability Fork { get; init; }

    /// <summary>Whether a cell can be frozen in memory.</summary>
    public required bool Pause { get; init; }
}

/// <summary>What of a cell can be copied while it lives.</summary>
internal enum ForkCapability
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Its files.</summary>
    Files,

    /// <summary>Its memory and files.</summary>
    Memory,
}

/// <summary>What was found in a template when it was loaded.</summary>
internal sealed record TemplateFacts
{
    /// <summary>Importable Python packages, name to version.</summary>
    public required IReadOnlyDictionary<string, string> Packages { get; init; }

    /// <summary>Interpreters, language to version.</summary>
    public required IReadOnlyDictionary<string, string> Languages { get; init; }
}
