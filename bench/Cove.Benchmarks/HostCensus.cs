namespace Cove.Benchmarks;

/// <summary>What this process and all that descends from it hold on the host.</summary>
internal sealed record HostCensus(int Processes, int Mounts, int ControlGroups, int Descriptors)
{
    /// <summary><paramref name="groups"/>: the engine's own control groups, see <see cref="OwnGroups"/>.</summary>
    public static HostCensus Take(IReadOnlyList<string> groups)
    {
        var family = Family();
        return new HostCensus(
            family.Count,
            family.Sum(pid => Lines($"/proc/{pid}/mountinfo")),
            groups.Sum(CountDirectories),
            family.Sum(pid => Entries($"/proc/{pid}/fd")));
    }

    /// <summary>The directories of this process's engine's groups: the members of its live cells tell them from those of other engines.</summary>
    public static IReadOnlyList<string> OwnGroups()
    {
        var names = Family().SelectMany(pid => Read($"/proc/{pid}/cgroup")).Select(EngineOf).OfType<string>().ToHashSet();
        var options = new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 6, IgnoreInaccessible = true };
        return Directory.Exists("/sys/fs/cgroup") ? [.. Directory.EnumerateDirectories("/sys/fs/cgroup", "cove-*", options).Where(d => names.Contains(Path.GetFileName(d)))] : [];
    }

    /// <summary>Megabytes of the host that only these processes hold, shared ones divided among their sharers; null where it cannot be read.</summary>
    public static double? ProportionalMegabytes()
    {
        long kilobytes = 0;
        foreach (var line in Family().Where(pid => pid != Environment.ProcessId).Select(pid => Read($"/proc/{pid}/smaps_rollup").FirstOrDefault(l => l.StartsWith("Pss:", StringComparison.Ordinal))))
        {
            kilobytes += line is null ? 0 : long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]);
        }

        return kilobytes == 0 ? null : kilobytes / 1024.0;
    }

    private static string? EngineOf(string line) => line.Split('/').FirstOrDefault(part => part.StartsWith("cove-", StringComparison.Ordinal) && !part.StartsWith("cove-user-", StringComparison.Ordinal));

    private static List<int> Family()
    {
        var parents = new Dictionary<int, int>();
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), out var pid) && Parent(pid) is { } parent)
            {
                parents[pid] = parent;
            }
        }

        return [.. parents.Keys.Where(pid => Descends(pid, parents))];
    }

    private static bool Descends(int pid, Dictionary<int, int> parents)
    {
        for (var steps = 0; steps < 100 && pid != Environment.ProcessId; steps++)
        {
            if (!parents.TryGetValue(pid, out pid))
            {
                return false;
            }
        }

        return pid == Environment.ProcessId;
    }

    private static int? Parent(int pid)
    {
        try
        {
            // The name, in parentheses, may hold anything.
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            return int.Parse(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1]);
        }
        catch (IOException)
        {
            return null; // ended meanwhile
        }
    }

    private static int Lines(string file) => Read(file).Length;

    private static string[] Read(string file)
    {
        try
        {
            return File.ReadAllLines(file);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return []; // ended meanwhile, or another user's
        }
    }

    private static int Entries(string directory)
    {
        try
        {
            return Directory.EnumerateFileSystemEntries(directory).Count();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    private static int CountDirectories(string directory) =>
        Directory.Exists(directory) ? Directory.EnumerateDirectories(directory, "*", SearchOption.AllDirectories).Count() : 0;
}
