namespace Cove.Engine.Isolation.Namespaces;

/// <summary>Where the namespaces backend finds its parts and what it may do without.</summary>
internal sealed record NamespacesOptions
{
    /// <summary>The folder with the guest's sources (guest/ of the repository).</summary>
    public required string GuestDirectory { get; init; }

    /// <summary>A directory of this user's own for what outlives an engine: the font cache and the leases of host ids.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>Protections that may be missing, by name: <c>memory</c>, <c>cpu</c>, <c>pids</c>, <c>landlock</c>. Default: none may.</summary>
    public IReadOnlySet<string> AllowDegraded { get; init; } = new HashSet<string>();

    /// <summary>Root filesystems of templates: name to directory.</summary>
    public IReadOnlyDictionary<string, string> TemplateRoots { get; init; } = new Dictionary<string, string>();

    /// <summary>The control group prepared for an ordinary user by <c>cove doctor --fix</c>, at the top of each hierarchy. Default: the group the engine runs in.</summary>
    public string? DelegatedGroup { get; init; }
}
