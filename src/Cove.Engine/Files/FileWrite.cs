using Microsoft.Win32.SafeHandles;

namespace Cove.Engine.Files;

/// <summary>A file being written under no name; it appears whole when committed. Used by one caller at a time.</summary>
internal sealed class FileWrite(SafeFileHandle handle, string path, string token, SandboxFiles files)
{
    private long _length;
    private bool _over;

    /// <summary>Appends; ENOSPC becomes the error <c>no_space</c>.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        try
        {
            RandomAccess.Write(handle, bytes, _length);
            _length += bytes.Length;
        }
        catch (IOException exception) when (FileErrors.IsNoSpace(exception))
        {
            throw FileErrors.NoSpace(path);
        }
    }

    public async ValueTask AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            await RandomAccess.WriteAsync(handle, bytes, _length, cancellationToken);
            _length += bytes.Length;
        }
        catch (IOException exception) when (FileErrors.IsNoSpace(exception))
        {
            throw FileErrors.NoSpace(path);
        }
    }

    /// <summary>Makes the file appear under its name.</summary>
    public async Task<FileEntry> CommitAsync(CancellationToken cancellationToken)
    {
        _over = true;
        handle.Dispose();
        return await files.CommitAsync(path, token, cancellationToken);
    }

    /// <summary>Leaves nothing behind; never throws.</summary>
    public async ValueTask AbortAsync()
    {
        if (!_over)
        {
            _over = true;
            handle.Dispose();
            await files.AbortAsync(token);
        }
    }
}
