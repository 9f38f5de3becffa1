using System.Globalization;

namespace Cove.Engine.Journal;

/// <summary>
/// Where journals lie: a directory per sandbox with numbered segments, under <c>live/</c> while its engine has it and under <c>ended/</c> from its
/// end on. The move is one rename, so a journal is in one of the two whenever the engine is killed. All of it is its user's alone. Empty ones under
/// <c>live/</c> wait for a sandbox.
/// </summary>
internal sealed class JournalPaths(string root)
{
    private const string Suffix = ".jsonl";
    private const UnixFileMode PrivateDirectory = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public const UnixFileMode PrivateFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public string Root => root;

    public string LiveRoot { get; } = Path.Combine(root, "live");

    public string EndedRoot { get; } = Path.Combine(root, "ended");

    public string Lock { get; } = Path.Combine(root, "lock");

    public string Live(SandboxId sandbox) => Path.Combine(LiveRoot, sandbox.Value);

    public string Ended(SandboxId sandbox) => Path.Combine(EndedRoot, sandbox.Value);

    /// <summary>Makes the directories, and takes from others what they could do in one that was there.</summary>
    public void Make()
    {
        foreach (var directory in new[] { root, LiveRoot, EndedRoot })
        {
            MakeDirectory(directory);
            File.SetUnixFileMode(directory, PrivateDirectory);
        }
    }

    public static void MakeDirectory(string directory) => Directory.CreateDirectory(directory, PrivateDirectory);

    public static string Segment(string directory, int number) => Path.Combine(directory, number.ToString("D8", CultureInfo.InvariantCulture) + Suffix);

    /// <summary>The numbers of a journal's segments, the oldest first.</summary>
    public static IReadOnlyList<int> Segments(string directory)
    {
        var numbers = new List<int>();
        foreach (var file in Directory.EnumerateFiles(directory, "*" + Suffix))
        {
            if (int.TryParse(Path.GetFileNameWithoutExtension(file.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            {
                numbers.Add(number);
            }
        }

        numbers.Sort();
        return numbers;
    }

    /// <summary>The directory of a sandbox's journal, wherever it is now; null when there is none.</summary>
    public string? Find(SandboxId sandbox) =>
        Directory.Exists(Live(sandbox)) ? Live(sandbox) : Directory.Exists(Ended(sandbox)) ? Ended(sandbox) : null;

    /// <summary>The sandboxes with a journal below <see cref="LiveRoot"/> or <see cref="EndedRoot"/>.</summary>
    public static IEnumerable<SandboxId> In(string root)
    {
        foreach (var directory in Directory.EnumerateDirectories(root))
        {
            if (SandboxId.TryParse(Path.GetFileName(directory), out var id))
            {
                yield return id;
            }
        }
    }
}
