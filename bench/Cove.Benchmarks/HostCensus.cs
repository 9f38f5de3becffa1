namespace Cove.Benchmarks;

/// <summary>What this process and all that descends from it hold on the host.</summary>
internal sealed record HostCensus(int Processes, int Mounts, int ControlGroups, int Descriptors)
{
    public static HostCensus Take()
    {
        var family = Family();
        return new HostCensus(
            family.Count,
            family.Sum(pid => Lines($"/proc/{pid}/mountinfo")),
            Groups("/sys/fs/cgroup"),
            family.Sum(pid => Entries($"/proc/{pid}/fd")));
    }

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

    private static int Lines(string file)
    {
        try
        {
            return File.ReadLines(file).Count();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return 0;
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

    /// <summary>All groups beneath Cove's own; those of other engines on the machine count, too, and should stay the same.</summary>
    private static int Groups(string directory)
    {
        var options = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = true };
        return Directory.Exists(directory) ? Directory.EnumerateDirectories(directory, "*", options).Count(d => d.Contains("/cove-", StringComparison.Ordinal)) : 0;
    }
}
