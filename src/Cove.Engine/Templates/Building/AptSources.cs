namespace Cove.Engine.Templates.Building;

/// <summary>
/// The host's package sources that serve its own release. Others (a vendor's, another suite's) are left out: a root should not fail to build
/// because a repository it needs nothing from is away.
/// </summary>
internal static class AptSources
{
    /// <summary>The host's files, in the two formats apt knows, cut to what serves <paramref name="suite"/>: file name to text.</summary>
    public static IReadOnlyDictionary<string, string> Read(string directory, string suite)
    {
        var parts = Path.Combine(directory, "sources.list.d");
        var lists = Existing(Path.Combine(directory, "sources.list")).Concat(In(parts, "*.list"));
        var found = new Dictionary<string, string>();
        Add(found, "host.list", lists.SelectMany(f => Lines(File.ReadAllText(f), suite)), "\n");
        Add(found, "host.sources", In(parts, "*.sources").SelectMany(f => Stanzas(File.ReadAllText(f), suite)), "\n\n");
        return found;
    }

    /// <summary>One-line entries: <c>deb [options] uri suite component…</c></summary>
    internal static IEnumerable<string> Lines(string text, string suite)
    {
        foreach (var line in text.Split('\n', StringSplitOptions.TrimEntries))
        {
            var words = WithoutOptions(line).Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words is ["deb", _, var served, ..] && Serves(served, suite))
            {
                yield return line;
            }
        }
    }

    /// <summary>deb822 stanzas, separated by empty lines.</summary>
    internal static IEnumerable<string> Stanzas(string text, string suite)
    {
        foreach (var stanza in text.Replace("\r\n", "\n").Split("\n\n", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var lines = stanza.Split('\n').Where(l => !l.StartsWith('#')).ToList();
            var served = Field(lines, "Suites:")?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];
            var on = Field(lines, "Enabled:") is not ("no" or "false");
            if (on && (Field(lines, "Types:") ?? "").Split(' ').Contains("deb") && served.Any(s => Serves(s, suite)))
            {
                yield return string.Join('\n', lines);
            }
        }
    }

    private static string? Field(IEnumerable<string> lines, string name) =>
        lines.FirstOrDefault(l => l.StartsWith(name, StringComparison.OrdinalIgnoreCase))?[name.Length..].Trim();

    private static bool Serves(string served, string suite) =>
        served == suite || served.StartsWith(suite + "-", StringComparison.Ordinal) || served.StartsWith(suite + "/", StringComparison.Ordinal);

    private static string WithoutOptions(string line)
    {
        var (open, close) = (line.IndexOf('['), line.IndexOf(']'));
        return open >= 0 && close > open ? line.Remove(open, close - open + 1) : line;
    }

    private static void Add(Dictionary<string, string> found, string name, IEnumerable<string> entries, string separator)
    {
        var text = string.Join(separator, entries);
        if (text.Length > 0)
        {
            found[name] = text + "\n";
        }
    }

    private static IEnumerable<string> Existing(string file) => File.Exists(file) ? [file] : [];

    private static IEnumerable<string> In(string directory, string pattern) =>
        Directory.Exists(directory) ? Directory.GetFiles(directory, pattern).Order(StringComparer.Ordinal) : [];
}
