namespace Cove.Cli.Running;

/// <summary>What a run made: files of the workspace that are new or changed, and the pictures it showed.</summary>
internal sealed class Artifacts(ICove cove, SandboxInfo sandbox, Screen screen)
{
    private const string Workspace = "/workspace";
    private const int Depth = 64;
    private const string TooMany = "too_many_entries";

    private Dictionary<string, FileEntry> _before = [];

    public async Task RememberAsync(CancellationToken cancellationToken) =>
        _before = (await ListAsync(cancellationToken)).ToDictionary(entry => entry.Path);

    /// <summary>Regular files that were not there before, or not like this. Links and devices are left out: they mean nothing outside.</summary>
    public async Task<IReadOnlyList<FileEntry>> ChangedAsync(CancellationToken cancellationToken)
    {
        try
        {
            var now = await ListAsync(cancellationToken);
            return [.. now.Where(entry => entry.Kind is FileKind.File && !Same(entry))];
        }
        catch (CoveException failure)
        {
            screen.Notice("the files it made can't be listed.");
            screen.Error(failure.Error);
            return [];
        }
    }

    /// <summary>Saves files; returns where each went. What can't be saved is said and passed over.</summary>
    public async Task<Dictionary<string, string>> SaveAsync(IReadOnlyList<FileEntry> files, OutDirectory directory, CancellationToken cancellationToken)
    {
        var saved = new Dictionary<string, string>();
        var left = sandbox.Limits.DiskBytes;
        foreach (var file in files)
        {
            // A sparse file of a terabyte costs the sandbox nothing and would fill this disk.
            if (file.SizeBytes > left)
            {
                screen.Notice($"{file.Path} was not saved: it claims {file.SizeBytes} bytes, which is more than is left of the sandbox's disk limit.");
            }
            else if (OutDirectory.SafeName(file.Path[Workspace.Length..]) is not { } name)
            {
                screen.Notice($"{file.Path} was not saved: that is no name for a file here.");
            }
            else if (!saved.ContainsValue(name) && await SaveAsync(file, name, directory, cancellationToken))
            {
                saved[file.Path] = name;
                left -= file.SizeBytes;
            }
        }

        return saved;
    }

    /// <summary>Everything below the workspace. When that is more than one answer may hold, directory by directory, and what still can't be listed is said.</summary>
    private async Task<IReadOnlyList<FileEntry>> ListAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await cove.ListFilesAsync(sandbox.Id, Workspace, Depth, cancellationToken);
        }
        catch (CoveException failure) when (failure.Error.Code == TooMany)
        {
            var found = new List<FileEntry>();
            var directories = new Queue<string>([Workspace]);
            while (directories.TryDequeue(out var directory))
            {
                foreach (var entry in await ListAsync(directory, cancellationToken))
                {
                    found.Add(entry);
                    if (entry.Kind is FileKind.Directory && entry.Path.Count(c => c == '/') < Depth)
                    {
                        directories.Enqueue(entry.Path);
                    }
                }
            }

            return found;
        }
    }

    private async Task<IReadOnlyList<FileEntry>> ListAsync(string directory, CancellationToken cancellationToken)
    {
        try
        {
            return await cove.ListFilesAsync(sandbox.Id, directory, 1, cancellationToken);
        }
        catch (CoveException failure) when (failure.Error.Code == TooMany || failure.Error.Category is ErrorCategory.NotFound)
        {
            screen.Notice($"what is in {directory} is left out: {failure.Error.Message}");
            return [];
        }
    }

    private async Task<bool> SaveAsync(FileEntry file, string name, OutDirectory directory, CancellationToken cancellationToken)
    {
        try
        {
            await using var content = await cove.ReadFileAsync(sandbox.Id, file.Path, cancellationToken: cancellationToken);
            await directory.SaveAsync(name, content, file.Mode, cancellationToken);
            return true;
        }
        catch (Exception failure) when (failure is CoveException or IOException or UnauthorizedAccessException)
        {
            screen.Notice($"{file.Path} was not saved: {failure.Message}");
            return false;
        }
    }

    private bool Same(FileEntry entry) =>
        _before.TryGetValue(entry.Path, out var before) && before.SizeBytes == entry.SizeBytes && before.ModifiedAt == entry.ModifiedAt && before.Kind == entry.Kind;
}
