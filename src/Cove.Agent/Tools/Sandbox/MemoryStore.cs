using System.Text;

namespace Cove.Agent.Tools.Sandbox;

/// <summary>
/// The files of a memory in one directory of this machine: on the host and not in the sandbox, because a memory is what outlives sandboxes, and because
/// there the guest's code could plant notes for later conversations without the model. Only regular files and directories made here are touched:
/// no link is followed, whoever put it there, and nothing that an opening would wait for is opened. Bounded in number, size and depth.
/// </summary>
internal sealed class MemoryStore(string directory)
{
    public const int MaxFileBytes = 256 << 10;
    public const int MaxFiles = 500;
    public const int MaxDirectories = 500;
    public const long MaxBytes = 16L << 20;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>All below, through no link.</summary>
    private static readonly EnumerationOptions _below = new() { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = true };

    private static readonly UTF8Encoding _strict = new(false, throwOnInvalidBytes: true);

    /// <summary>Taken around every command: two calls of one answer change one file one after the other.</summary>
    public Lock Turn { get; } = new();

    public FileSystemInfo? Find(string[] parts)
    {
        FileSystemInfo found = Make(directory);
        foreach (var part in parts)
        {
            var path = Path.Combine(found.FullName, part);
            found = Directory.Exists(path) ? new DirectoryInfo(path) : new FileInfo(path);
            if (!found.Exists || !IsOwn(found))
            {
                return null;
            }
        }

        return found;
    }

    /// <summary>Whether it is a directory or a regular file, and not a link or a FIFO that somebody put there.</summary>
    private static bool IsOwn(FileSystemInfo found) => found.LinkTarget is null
        && (found is DirectoryInfo || !OperatingSystem.IsLinux() || UnixStat.Of(found.FullName, followsLinks: false) is { IsRegular: true });

    public static string Read(FileInfo file) => file.Length <= MaxFileBytes ? _strict.GetString(File.ReadAllBytes(file.FullName))
        : throw new ToolInputException($"Error: The file has {file.Length:N0} bytes; a memory has at most {MaxFileBytes:N0}.", "Leave it alone.");

    /// <summary>Writes a file whole, with the directories it needs.</summary>
    public void Write(string[] parts, string text)
    {
        var bytes = _strict.GetBytes(text);
        Check(parts, bytes.Length);
        var parent = MakeParent(parts);
        var temporary = Path.Combine(parent, $".{Guid.NewGuid():N}");
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }

            using (var file = new FileStream(temporary, options))
            {
                file.Write(bytes);
            }

            File.Move(temporary, Path.Combine(parent, parts[^1]), overwrite: true);
        }
        finally
        {
            File.Delete(temporary); // no error when it was moved
        }
    }

    public static void Delete(FileSystemInfo found)
    {
        if (found is DirectoryInfo folder)
        {
            folder.Delete(recursive: true); // removes links, does not follow them
        }
        else
        {
            found.Delete();
        }
    }

    public void Rename(FileSystemInfo found, string[] parts)
    {
        if (found is not DirectoryInfo folder)
        {
            ((FileInfo)found).MoveTo(Path.Combine(MakeParent(parts), parts[^1]), overwrite: false);
            return;
        }

        if (Path.Combine([Make(directory).FullName, .. parts]).StartsWith(folder.FullName + "/", StringComparison.Ordinal))
        {
            throw new ToolInputException("Error: A directory cannot be moved into itself.", "Give another new_path.");
        }

        var below = folder.EnumerateFileSystemInfos("*", _below).Select(item => item.FullName.AsSpan(folder.FullName.Length).Count('/')).DefaultIfEmpty().Max();
        if (parts.Length + below > MemoryPath.MaxDepth)
        {
            throw new ToolInputException($"Error: What is in the directory would be more than {MemoryPath.MaxDepth} deep, where nothing can name it.", "Give a shorter new_path.");
        }

        folder.MoveTo(Path.Combine(MakeParent(parts), parts[^1]));
    }

    /// <summary>What is in a directory, sorted, hidden items, links and node_modules left out, with the sizes of what directories hold.</summary>
    public static IEnumerable<(FileSystemInfo Item, long Bytes)> Children(DirectoryInfo folder) => folder.EnumerateFileSystemInfos()
        .Where(item => !item.Name.StartsWith('.') && item.Name != "node_modules" && IsOwn(item))
        .OrderBy(item => item.Name, StringComparer.Ordinal).Select(item => (item, Size(item)));

    public static long Size(FileSystemInfo item) => item is FileInfo file ? file.Length : Files((DirectoryInfo)item).Sum(f => f.Length);

    private static IEnumerable<FileInfo> Files(DirectoryInfo folder) =>
        folder.EnumerateFiles("*", _below);

    private void Check(string[] parts, int length)
    {
        if (length > MaxFileBytes)
        {
            throw new ToolInputException($"Error: The file would have {length:N0} bytes; a memory has at most {MaxFileBytes:N0}.", "Keep what matters, and split it into several files.");
        }

        var there = Find(parts) as FileInfo;
        var all = Files(new DirectoryInfo(directory)).ToArray();
        if (all.Length >= MaxFiles && there is null)
        {
            throw new ToolInputException($"Error: There are {all.Length:N0} files; a memory has at most {MaxFiles:N0}.", "Delete files that are not needed, or add to one that is there.");
        }

        if (all.Sum(f => f.Length) + length - (there?.Length ?? 0) > MaxBytes)
        {
            throw new ToolInputException($"Error: All files together would have more than {MaxBytes:N0} bytes.", "Delete files that are not needed.");
        }
    }

    private static DirectoryInfo Make(string path) => OperatingSystem.IsWindows() ? Directory.CreateDirectory(path) : Directory.CreateDirectory(path, OwnerOnly);

    private string MakeParent(string[] parts)
    {
        var parent = Make(directory).FullName;
        var missing = Enumerable.Range(1, parts.Length - 1).Count(depth => !Directory.Exists(Path.Combine([parent, .. parts[..depth]])));
        if (missing > 0 && new DirectoryInfo(parent).EnumerateDirectories("*", _below).Take(MaxDirectories).Count() + missing > MaxDirectories)
        {
            // A file that is deleted leaves its directories, so they are no fewer than files are.
            throw new ToolInputException($"Error: There would be more than {MaxDirectories:N0} directories; a memory has at most that many.", "Delete directories that are not needed, or use one that is there.");
        }

        foreach (var part in parts[..^1])
        {
            parent = Path.Combine(parent, part);
            var made = Make(parent);
            if (made.LinkTarget is not null)
            {
                throw new ToolInputException("Error: A part of the path is a link, which is not followed.", "Choose another path.");
            }
        }

        return parent;
    }
}
