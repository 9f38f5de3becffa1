namespace Cove.Agent.Tools.Sandbox;

/// <summary>How the tools of a sandbox behave.</summary>
public sealed record SandboxToolOptions
{
    /// <summary>What the sandbox started from, so that descriptions say what is installed. Default: nothing is said; <see cref="SandboxToolset.CreateAsync"/> looks it up.</summary>
    public TemplateInfo? Template { get; init; }

    /// <summary>Which tools, by name. Default: all, <c>memory</c> only with a <see cref="MemoryDirectory"/>.</summary>
    public IReadOnlySet<string>? Only { get; init; }

    /// <summary>Tools of the host that code given to <c>run_python</c> can call; the model is told of them. Default: none.</summary>
    public HostCalls.ToolBridge? HostCalls { get; init; }

    /// <summary>Wall time of <c>run_python</c> when the model gives none. Default 30 s; 1 s to <see cref="LongestTimeout"/>.</summary>
    public TimeSpan DefaultTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The longest wall time a model gets; what it asks beyond is brought down to it, and the result says so. Default 600 s; 1 s to 24 h.</summary>
    public TimeSpan LongestTimeout { get; init; } = TimeSpan.FromSeconds(600);

    /// <summary>Wall time of one command of <c>bash</c>. Default 120 s; 1 s to 24 h.</summary>
    public TimeSpan CommandTimeout { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>Characters of standard output that a model reads. Default 10,000; 200 to 1,000,000.</summary>
    public int MaxStdout { get; init; } = 10_000;

    /// <summary>Characters of standard error that a model reads, and of the value of the last expression. Default 5,000; 200 to 1,000,000.</summary>
    public int MaxStderr { get; init; } = 5_000;

    /// <summary>Characters of a command's output or of a file that a model reads. Default 30,000; 200 to 1,000,000.</summary>
    public int MaxText { get; init; } = 30_000;

    /// <summary>Characters of a file that the editor's <c>view</c> shows, told to the model as <c>max_characters</c>. Default: not told, and <see cref="MaxText"/> holds.</summary>
    public int? EditorMaxCharacters { get; init; }

    /// <summary>Pictures in one result. Default 4; 0 to 20.</summary>
    public int MaxImages { get; init; } = 4;

    /// <summary>Bytes of one picture; a larger one is left out, and the result says so. Default 3 MiB; 1 KiB to 20 MiB.</summary>
    public int MaxImageBytes { get; init; } = 3 << 20;

    /// <summary>Files in one result's artifacts. Default 20; 0 to 1,000. 0 also spares the two listings around each run.</summary>
    public int MaxArtifacts { get; init; } = 20;

    /// <summary>A directory of this machine where <c>memory</c> keeps its files, beyond the sandbox's life. It is made when missing, for its owner alone. Default: none, and the tool is not offered.</summary>
    public string? MemoryDirectory { get; init; }

    /// <summary>Throws for the first value that does not hold, naming it, its value and what it may be.</summary>
    internal void Check()
    {
        var second = TimeSpan.FromSeconds(1);
        Require(LongestTimeout >= second && LongestTimeout <= TimeSpan.FromHours(24), nameof(LongestTimeout), LongestTimeout, "1 s to 24 h");
        Require(DefaultTimeout >= second && DefaultTimeout <= LongestTimeout, nameof(DefaultTimeout), DefaultTimeout, $"1 s to {nameof(LongestTimeout)} ({LongestTimeout})");
        Require(CommandTimeout >= second && CommandTimeout <= TimeSpan.FromHours(24), nameof(CommandTimeout), CommandTimeout, "1 s to 24 h");
        Require(MaxStdout is >= 200 and <= 1_000_000, nameof(MaxStdout), MaxStdout, "200 to 1,000,000");
        Require(MaxStderr is >= 200 and <= 1_000_000, nameof(MaxStderr), MaxStderr, "200 to 1,000,000");
        Require(MaxText is >= 200 and <= 1_000_000, nameof(MaxText), MaxText, "200 to 1,000,000");
        Require(EditorMaxCharacters is null or (>= 200 and <= 1_000_000), nameof(EditorMaxCharacters), EditorMaxCharacters, "null, or 200 to 1,000,000");
        Require(MaxImages is >= 0 and <= 20, nameof(MaxImages), MaxImages, "0 to 20");
        Require(MaxImageBytes is >= 1024 and <= 20 << 20, nameof(MaxImageBytes), MaxImageBytes, "1,024 to 20,971,520");
        Require(MaxArtifacts is >= 0 and <= 1000, nameof(MaxArtifacts), MaxArtifacts, "0 to 1,000");
        Require(MemoryDirectory is null || Path.IsPathFullyQualified(MemoryDirectory), nameof(MemoryDirectory), MemoryDirectory, "an absolute path, or null");
        foreach (var name in Only ?? new HashSet<string>())
        {
            Require(SandboxToolset.Names.Contains(name), nameof(Only), name, string.Join(", ", SandboxToolset.Names));
        }

        Require(Only?.Contains(Cove.Tools.SandboxTools.MemoryName) != true || MemoryDirectory is not null, nameof(MemoryDirectory), MemoryDirectory, $"set when {nameof(Only)} asks for memory");
    }

    private static void Require(bool holds, string name, object? value, string allowed)
    {
        if (!holds)
        {
            throw new ArgumentException($"SandboxToolOptions.{name} is '{value ?? "null"}'; it must be {allowed}.", name);
        }
    }
}
