using System.Runtime.CompilerServices;

namespace Cove.Server.Access.Tenancy;

internal sealed partial class ProjectCove
{
    public async Task<Stream> ReadFileAsync(SandboxId sandbox, string path, FileRange? range = null, CancellationToken cancellationToken = default)
    {
        await OpenAsync(sandbox);
        return await _engine.ReadFileAsync(sandbox, path, range, cancellationToken);
    }

    public async Task<FileEntry> WriteFileAsync(SandboxId sandbox, string path, Stream content, FileWriteOptions? options = null, CancellationToken cancellationToken = default)
    {
        await OpenAsync(sandbox);
        return await _engine.WriteFileAsync(sandbox, path, content, options, cancellationToken);
    }

    public async Task<FileEntry> StatFileAsync(SandboxId sandbox, string path, CancellationToken cancellationToken = default)
    {
        await OpenAsync(sandbox);
        return await _engine.StatFileAsync(sandbox, path, cancellationToken);
    }

    public async Task<IReadOnlyList<FileEntry>> ListFilesAsync(SandboxId sandbox, string path, int depth = 1, CancellationToken cancellationToken = default)
    {
        await OpenAsync(sandbox);
        return await _engine.ListFilesAsync(sandbox, path, depth, cancellationToken);
    }

    public async Task<FileEntry> MakeDirectoryAsync(SandboxId sandbox, string path, CancellationToken cancellationToken = default)
    {
        await OpenAsync(sandbox);
        return await _engine.MakeDirectoryAsync(sandbox, path, cancellationToken);
    }

    public async Task<FileEntry> MoveFileAsync(SandboxId sandbox, string from, string to, bool overwrite = false, CancellationToken cancellationToken = default)
    {
        await OpenAsync(sandbox);
        return await _engine.MoveFileAsync(sandbox, from, to, overwrite, cancellationToken);
    }

    public async IAsyncEnumerable<FileChange> WatchFilesAsync(SandboxId sandbox, string path, bool recursive = false, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await OpenAsync(sandbox);
        await foreach (var next in _engine.WatchFilesAsync(sandbox, path, recursive, cancellationToken))
        {
            yield return next;
        }
    }

    public async Task<Stream> ReadArchiveAsync(SandboxId sandbox, string path, CancellationToken cancellationToken = default)
    {
        await OpenAsync(sandbox);
        return await _engine.ReadArchiveAsync(sandbox, path, cancellationToken);
    }

    public async Task WriteArchiveAsync(SandboxId sandbox, string path, Stream archive, CancellationToken cancellationToken = default)
    {
        await OpenAsync(sandbox);
        await _engine.WriteArchiveAsync(sandbox, path, archive, cancellationToken);
    }

    public async Task RemoveFileAsync(SandboxId sandbox, string path, bool recursive = false, CancellationToken cancellationToken = default)
    {
        await OpenAsync(sandbox);
        await _engine.RemoveFileAsync(sandbox, path, recursive, cancellationToken);
    }
}
