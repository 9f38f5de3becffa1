namespace Cove.Engine.Doctor;

/// <summary>A line of /etc/subuid or /etc/subgid: ids an ordinary user may give to user namespaces of its own.</summary>
internal readonly record struct SubordinateRange(long First, long Count)
{
    /// <summary>A cell has an id of its own, so this many cells can live at once.</summary>
    public const long Wanted = 65_536;

    // Far above what distributions hand out (100000 upward), and ending below the ids a root engine leases (isolation/users.py).
    private const long Lowest = 0x60000000;
    private const long Highest = 0x70000000;

    private long End => First + Count;

    public static SubordinateRange? Of(string? text, string user)
    {
        foreach (var (owner, range) in Parse(text))
        {
            if (owner == user)
            {
                return range;
            }
        }

        return null;
    }

    /// <summary>The lowest free block that none of the files' ranges touches.</summary>
    public static SubordinateRange Free(params string?[] files)
    {
        var taken = files.SelectMany(Parse).Select(entry => entry.Range).ToList();
        for (var first = Lowest; first + Wanted <= Highest; first += Wanted)
        {
            var candidate = new SubordinateRange(first, Wanted);
            if (!taken.Exists(range => range.First < candidate.End && candidate.First < range.End))
            {
                return candidate;
            }
        }

        throw new InvalidOperationException("every block of subordinate ids is taken");
    }

    private static IEnumerable<(string Owner, SubordinateRange Range)> Parse(string? text)
    {
        foreach (var line in (text ?? "").Split('\n'))
        {
            var parts = line.Trim().Split(':');
            if (parts.Length == 3 && long.TryParse(parts[1], out var first) && long.TryParse(parts[2], out var count))
            {
                yield return (parts[0], new SubordinateRange(first, count));
            }
        }
    }
}
