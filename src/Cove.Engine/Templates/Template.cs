namespace Cove.Engine.Templates;

/// <summary>What a sandbox starts from, as read from a template file (templates/*.json, documented in templates/README.md).</summary>
internal sealed record Template
{
    /// <summary>Its name: 1 to 40 characters of <c>a-z0-9-</c>, the file's stem.</summary>
    public required string Name { get; init; }

    /// <summary>What it is for, in a sentence.</summary>
    public required string Description { get; init; }

    /// <summary>Python modules imported once, before any sandbox exists.</summary>
    public IReadOnlyList<string> Preload { get; init; } = [];

    /// <summary>Environment of every process in a sandbox of this template.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Python packages whose presence is looked up for the description of tools.</summary>
    public IReadOnlyList<string> Packages { get; init; } = [];

    /// <summary>Debian packages a root of its own is built with; empty: the host's <c>/usr</c> is used.</summary>
    public IReadOnlyList<string> DebianPackages { get; init; } = [];

    /// <summary>Files every sandbox finds read-only beneath <c>/opt/template</c>: relative path to text.</summary>
    public IReadOnlyDictionary<string, string> Files { get; init; } = new Dictionary<string, string>();

    /// <summary>A root filesystem of its own that the operator made, a directory on the host; null: one built from <see cref="DebianPackages"/>, or the host's <c>/usr</c>.</summary>
    public string? Root { get; init; }

    /// <summary>Whether its sandboxes have system files of their own instead of the host's.</summary>
    public bool HasOwnRoot => Root is not null || DebianPackages.Count > 0;

    /// <summary>Default limits.</summary>
    public SandboxLimits Limits { get; init; } = SandboxLimits.Default;

    /// <summary>How many parked cells are kept ready. Default 4; 0 to 1,000.</summary>
    public int PoolSize { get; init; } = 4;

    /// <summary>How many cells one zygote makes before it is replaced (its children share a memory layout and a hash seed). Default 500.</summary>
    public int ZygoteChildren { get; init; } = 500;
}
