using Cove.Engine.Files;

namespace Cove.Engine;

public sealed partial class SandboxEngine
{
    /// <inheritdoc/>
    public Task<Stream> ReadFileAsync(SandboxId sandbox, string path, FileRange? range = null, CancellationToken cancellationToken = default)
    {
        FileRules.Path("path", path);
        return InSandboxAsync(sandbox, found => found.Files.ReadAsync(path, cancellationToken));
    }

    /// <inheritdoc/>
    public Task<FileEntry> WriteFileAsync(
        SandboxId sandbox, string path, Stream content, FileWriteOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(content);
        options ??= new FileWriteOptions();
        FileRules.Path("path", path);
        FileRules.Options(options);
        return InSandboxAsync(sandbox, found => found.Files.WriteAsync(path, content, options, cancellationToken));
    }

    /// <inheritdoc/>
    public Task<FileEntry> StatFileAsync(SandboxId sandbox, string path, CancellationToken cancellationToken = default)
    {
        FileRules.Path("path", path);
        return InSandboxAsync(sandbox, found => found.Files.StatAsync(path, cancellationToken));
    }

    /// <inheritdoc/>
    public Task<IReadOnlyList<FileEntry>> ListFilesAsync(SandboxId sandbox, string path, int depth = 1, CancellationToken cancellationToken = default)
    {
        FileRules.Path("path", path);
        FileRules.Depth(depth);
        return InSandboxAsync(sandbox, found => found.Files.ListAsync(path, depth, cancellationToken));
    }

    /// <inheritdoc/>
    public Task<FileEntry> MakeDirectoryAsync(SandboxId sandbox, string path, CancellationToken cancellationToken = default)
    {
        FileRules.Path("path", path);
        return InSandboxAsync(sandbox, found => found.Files.MakeDirectoryAsync(path, cancellationToken));
    }

    /// <inheritdoc/>
    public Task<FileEntry> MoveFileAsync(SandboxId sandbox, string from, string to, bool overwrite = false, CancellationToken cancellationToken = default)
    {
        FileRules.Path("from", from);
        FileRules.Path("to", to);
        return InSandboxAsync(sandbox, found => found.Files.MoveAsync(from, to, overwrite, cancellationToken));
    }

    /// <inheritdoc/>
    public Task RemoveFileAsync(SandboxId sandbox, string path, bool recursive = false, CancellationToken cancellationToken = default)
    {
        FileRules.Path("path", path);
        return InSandboxAsync(sandbox, async found =>
        {
            await found.Files.RemoveAsync(path, recursive, cancellationToken);
            return true;
        });
    }

    /// <inheritdoc/>
    public IAsyncEnumerable<FileChange> WatchFilesAsync(SandboxId sandbox, string path, bool recursive = false, CancellationToken cancellationToken = default) => throw new NotSupportedException("unbuilt");

    /// <inheritdoc/>
    public Task<Stream> ReadArchiveAsync(SandboxId sandbox, string path, CancellationToken cancellationToken = default) => throw new NotSupportedException("unbuilt");

    /// <inheritdoc/>
    public Task WriteArchiveAsync(SandboxId sandbox, string path, Stream archive, CancellationToken cancellationToken = default) => throw new NotSupportedException("unbuilt");
}
