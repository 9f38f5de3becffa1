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

    /// <summary>
    /// Where journals are kept, so that what happened can be read after this process died; an absolute path, made when it is missing, one engine's
    /// alone. Default: null, in memory only.
    /// </summary>
    public string? JournalDirectory { get; init; }

    /// <summary>Bytes of one sandbox's journal on disk; over it the oldest eighth goes. Default 256 MiB; 1 MiB to 64 GiB.</summary>
    public long JournalBytesPerSandbox { get; init; } = 256L << 20;

    /// <summary>How long the journal of an ended sandbox is kept. Default 7 days; 1 minute to 366 days.</summary>
    public TimeSpan JournalRetention { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Bytes of all journals. Near it who holds most of them gives way: its oldest ended ones go, then the oldest events of its live ones. Default 10 GiB; 1 MiB to 100 TiB.</summary>
    public long JournalBytes { get; init; } = 10L << 30;

    /// <summary>Told of every sandbox's end, also of those an engine before this one lost (while this one starts). Must not wait; what it throws is logged.</summary>
    internal Action<SandboxEnd>? OnSandboxEnded { get; init; }

    /// <summary>Told of every run's end; refused ones are none. Must not wait; what it throws is logged.</summary>
    internal Action<RunEnd>? OnRunEnded { get; init; }

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
        Require(JournalDirectory is null || Path.IsPathFullyQualified(JournalDirectory), nameof(JournalDirectory), JournalDirectory, "an absolute path, or null");
        Require(JournalBytesPerSandbox is >= 1L << 20 and <= 64L << 30, nameof(JournalBytesPerSandbox), JournalBytesPerSandbox, "1 MiB to 64 GiB, in bytes");
        Require(JournalRetention >= TimeSpan.FromMinutes(1) && JournalRetention <= TimeSpan.FromDays(366), nameof(JournalRetention), JournalRetention, "1 minute to 366 days");
        Require(JournalBytes is >= 1L << 20 and <= 100L << 40, nameof(JournalBytes), JournalBytes, "1 MiB to 100 TiB, in bytes");
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
