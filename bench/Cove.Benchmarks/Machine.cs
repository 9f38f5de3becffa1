namespace Cove.Benchmarks;

/// <summary>Where the figures were taken, without which they say little.</summary>
internal sealed record Machine(string Kernel, string Processor, int Cores, double MemoryGigabytes, string LoadAverage)
{
    public static Machine Read() => new(
        File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
        Field("/proc/cpuinfo", "model name") ?? "unknown",
        Environment.ProcessorCount,
        Math.Round(MemoryKilobytes("MemTotal") / 1048576.0, 1),
        string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ').Take(3)));

    public static long MemoryKilobytes(string name) => long.Parse(Field("/proc/meminfo", name)!.Split(' ')[0]);

    private static string? Field(string file, string name) =>
        File.ReadLines(file).FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal))?.Split(':', 2)[1].Trim();
}
