namespace Cove.Cli.Shell;

/// <summary>What was typed before, oldest first, kept in a file of this user. Cells of several lines are one entry.</summary>
internal sealed class History
{
    private const int Maximum = 1000;

    private readonly string? _path;
    private readonly List<string> _entries = [];

    /// <summary>Without a path nothing is kept.</summary>
    public History(string? path)
    {
        _path = path;
        try
        {
            if (path is not null && File.Exists(path))
            {
                _entries.AddRange(File.ReadLines(path).TakeLast(Maximum).Select(Decode));
            }
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // A session without old entries is better than none.
        }
    }

    public IReadOnlyList<string> Entries => _entries;

    public void Add(string entry)
    {
        if (string.IsNullOrWhiteSpace(entry) || (_entries.Count > 0 && _entries[^1] == entry))
        {
            return;
        }

        _entries.Add(entry);
        if (_path is null)
        {
            return;
        }

        try
        {
            // Appended at once: a session that is killed keeps its history, and two at a time don't lose each other's.
            using var file = new FileStream(_path, new FileStreamOptions
            {
                Mode = FileMode.Append,
                Access = FileAccess.Write,
                Share = FileShare.ReadWrite,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
            file.Write(System.Text.Encoding.UTF8.GetBytes(Encode(entry) + "\n"));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // As above.
        }
    }

    internal static string Encode(string entry) => entry.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    internal static string Decode(string line)
    {
        var text = new System.Text.StringBuilder(line.Length);
        for (var i = 0; i < line.Length; i++)
        {
            text.Append(line[i] == '\\' && i + 1 < line.Length ? line[++i] == 'n' ? '\n' : line[i] : line[i]);
        }

        return text.ToString();
    }
}
