namespace Cove.Cli.Running;

/// <summary>Files of this machine that go into a sandbox: opened before anything is started for them, so that every mistake shows at once.</summary>
internal sealed class Inputs : IDisposable
{
    private const uint TypeMask = 0xF000;
    private const uint TypeRegular = 0x8000;

    private readonly List<(string Name, FileStream Content)> _files = [];

    public IReadOnlyList<(string Name, FileStream Content)> Files => _files;

    /// <summary>Opens all of them; each keeps its own name.</summary>
    public void Open(IReadOnlyList<string> paths)
    {
        if (paths.GroupBy(Path.GetFileName).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw Errors.Usage("file_twice", $"Two --file options are called {twice.Key}.", "Both would be /workspace/" + twice.Key + "; rename one.");
        }

        foreach (var path in paths)
        {
            _files.Add((Path.GetFileName(path), Open(path, "--file")));
        }
    }

    /// <summary>Opens one; <paramref name="option"/> is what the message calls it.</summary>
    public static FileStream Open(string path, string option)
    {
        // Looked at before it is opened: opening a FIFO waits for a writer that may never come.
        switch (Libc.Stat(path, followLink: true))
        {
            case null:
                throw Errors.Usage("file_missing", $"{option} {path} is not there, or can't be seen.", "Check its path.");
            case { Mode: var mode } when (mode & TypeMask) != TypeRegular:
                throw Errors.Usage("file_missing", $"{option} {path} is no regular file.", "Give a file; directories, pipes and devices are not taken.");
        }

        try
        {
            return File.OpenRead(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw Errors.Usage("file_unreadable", $"{option} {path} can't be read: {failure.Message}", "Give a file that you may read.");
        }
    }

    public void Dispose()
    {
        foreach (var (_, content) in _files)
        {
            content.Dispose();
        }
    }
}
