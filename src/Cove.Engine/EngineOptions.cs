namespace Cove.Engine;

/// <summary>How an engine works. Immutable; checked when the engine starts.</summary>
public sealed record EngineOptions
{
    /// <summary>The directory template files are read from; an absolute path. Never the working directory.</summary>
    public required string TemplatesDirectory { get; init; }

    /// <summary>A second directory of templates, those added to this machine by <c>cove template build</c>; it may be missing. Default: none.</summary>
    public string? AddedTemplatesDirectory { get; init; }

    /// <summary>Sandboxes that may live at once; further ones wait for a place. Default 1,000; 1 to 100,000.</summary>
    public int MaxSandboxes { get; init; } = 1000;

    /// <summary>Cells being made at once, for all templates together. Default: one for each processor; 1 to 256.</summary>
    public int CreateConcurrency { get; init; } = Environment.ProcessorCount;

    /// <summary>Parked cells kept ready for each template; overrides the template's own. Default: the template's; 0 (no pool) to 1,000.</summary>
    public int? PoolSize { get; init; }

    /// <summary>How long a run has to end after it was interrupted, before it is killed. Default 1 s; 10 ms to 60 s.</summary>
    public TimeSpan InterruptGrace { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Protections that may be missing, by name: <c>memory</c>, <c>cpu</c>, <c>pids</c>, <c>landlock</c>, <c>ids</c>. Default: none; a missing protection then refuses the start.</summary>
    public IReadOnlySet<string> AllowDegraded { get; init; } = new HashSet<string>();

    private static readonly string[] _protections = ["memory", "cpu", "pids", "landlock", "ids"];

    internal void Validate()
    {
        Require(Path.IsPathFullyQualified(TemplatesDirectory), nameof(TemplatesDirectory), TemplatesDirectory, "an absolute path");
        Require(AddedTemplatesDirectory is null || Path.IsPathFullyQualified(AddedTemplatesDirectory), nameof(AddedTemplatesDirectory), AddedTemplatesDirectory, "an absolute path, or null");
        Require(MaxSandboxes is >= 1 and <= 100_000, nameof(MaxSandboxes), MaxSandboxes, "1 to 100,000");
        Require(CreateConcurrency is >= 1 and <= 256, nameof(CreateConcurrency), CreateConcurrency, "1 to 256");
        Require(PoolSize is null or (>= 0 and <= 1000), nameof(PoolSize), PoolSize, "0 to 1,000, or null for the template's own");
        Require(
            InterruptGrace >= TimeSpan.FromMilliseconds(10) && InterruptGrace <= TimeSpan.FromSeconds(60),
            nameof(InterruptGrace), InterruptGrace, "10 ms to 60 s");
        foreach (var name in AllowDegraded)
        {
            Require(_protections.Contains(name), nameof(AllowDegraded), name, $"names out of {string.Join(", ", _protections)}");
        }
    }

    private static void Require(bool holds, string option, object? value, string range)
    {
        if (!holds)
        {
            throw Refusals.InvalidOption(option, value, range);
        }
    }
}
