namespace Cove.Engine;

/// <summary>The values a limit may have.</summary>
internal readonly record struct LimitRange(long Minimum, long Maximum);

/// <summary>The ranges of all limits; the same for templates and requests.</summary>
internal static class LimitRanges
{
    public static readonly LimitRange Memory = new(64L << 20, 1L << 40);
    public static readonly LimitRange Cpu = new(10, 1_024_000);
    public static readonly LimitRange Pids = new(8, 32_768);
    public static readonly LimitRange Disk = new(1L << 20, 1L << 40);
    public static readonly LimitRange Inodes = new(64, 100_000_000);
    public static readonly LimitRange OpenFiles = new(32, 1_048_576);

    /// <summary>Files lie in memory: their space is at most half of it, or a full disk would look like memory that ran out.</summary>
    public static SandboxLimits WithDiskInMemory(SandboxLimits limits) =>
        limits with { DiskBytes = Math.Min(limits.DiskBytes, limits.MemoryBytes / 2) };

    /// <summary>Whether every limit of <paramref name="wanted"/> can be reached by lowering those of <paramref name="made"/>.</summary>
    public static bool CanLower(SandboxLimits made, SandboxLimits wanted) =>
        wanted.MemoryBytes <= made.MemoryBytes && wanted.CpuMillis <= made.CpuMillis && wanted.Pids <= made.Pids
        && wanted.DiskBytes <= made.DiskBytes && wanted.Inodes <= made.Inodes && wanted.OpenFiles <= made.OpenFiles;
}

/// <summary>What names may look like.</summary>
internal static class Names
{
    /// <summary>Kernels and templates: 1 to 40 characters of <c>a-z0-9-</c>.</summary>
    public static bool IsName(string? text) =>
        text is { Length: >= 1 and <= 40 } && text.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');

    /// <summary>Environment variables: <c>[A-Za-z_][A-Za-z0-9_]*</c>.</summary>
    public static bool IsVariable(string? text) =>
        text is { Length: >= 1 and <= 256 } && !char.IsAsciiDigit(text[0]) && text.All(static c => char.IsAsciiLetterOrDigit(c) || c == '_');
}
