using System.Runtime.CompilerServices;
using Cove.Engine.Files;
using Cove.Engine.Isolation;
using Cove.Engine.Sandboxes;

namespace Cove.Engine;

public sealed partial class SandboxEngine
{
    /// <inheritdoc/>
    public Task<Stream> ReadFileAsync(SandboxId sandbox, string path, FileRange? range = null, CancellationToken cancellationToken = default)
    {
        FileRules.Path("path", path);
        FileRules.Range(range);
        return InSandboxAsync(sandbox, found => found.Files.ReadAsync(path, range, cancellationToken));
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
    /// <remarks>Looking on is no use of a sandbox: a watched one may be idle.</remarks>
    public async IAsyncEnumerable<FileChange> WatchFilesAsync(
        SandboxId sandbox, string path, bool recursive = false, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        FileRules.Path("path", path);
        Live();
        var found = _sandboxes.Open(Checked(sandbox));
        await using var changes = found.Files.Errands.WatchAsync(path, recursive, cancellationToken).GetAsyncEnumerator(CancellationToken.None);
        while (await InSandboxAsync(sandbox, found, changes.MoveNextAsync))
        {
            yield return changes.Current;
        }
    }

    /// <inheritdoc/>
    public Task<Stream> ReadArchiveAsync(SandboxId sandbox, string path, CancellationToken cancellationToken = default)
    {
        FileRules.Path("path", path);
        return InSandboxAsync(sandbox, async found =>
        {
            var use = new Held(found.BeginUse());
            try
            {
                return await found.Files.Errands.PackAsync(path, use, cancellationToken);
            }
            catch
            {
                use.Dispose();
                throw;
            }
        });
    }

    /// <inheritdoc/>
    public Task WriteArchiveAsync(SandboxId sandbox, string path, Stream archive, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(archive);
        FileRules.Path("path", path);
        return InSandboxAsync(sandbox, async found =>
        {
            await found.Files.Errands.UnpackAsync(path, archive, cancellationToken);
            return true;
        });
    }

    private static async ValueTask<bool> InSandboxAsync(SandboxId id, Sandbox sandbox, Func<ValueTask<bool>> call)
    {
        try
        {
            return await call();
        }
        catch (CellGoneException)
        {
            throw Refusals.SandboxEnded(id, sandbox.EndReason ?? SandboxEndReason.Died);
        }
    }

    /// <summary>A use that ends once, however often it is disposed.</summary>
    private sealed class Held(Sandbox.Use use) : IDisposable
    {
        private int _over;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _over, 1) == 0)
            {
                use.Dispose();
            }
        }
    }
}
