using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Cove.Cli.Running;

/// <summary>
/// A directory on the host that takes what a sandbox made. Names come from hostile code: every step goes through a descriptor and never through a link,
/// and a file appears by renaming, which replaces a link that waits under its name instead of writing through it.
/// </summary>
internal sealed class OutDirectory : IDisposable
{
    private const int MaximumNameBytes = 255;
    private const int MaximumDepth = 64;

    private readonly SafeFileHandle _root;
    private int _temporary;

    public OutDirectory(string path)
    {
        if (path.Length == 0)
        {
            throw Errors.Usage("out_directory", "--out is empty.", "Give a directory you may write to; . is the one you are in.");
        }

        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw Errors.Usage("out_directory", $"--out {path} can't be made: {failure.Message}", "Give a directory you may write to.");
        }

        DisplayPath = path;
        _root = Libc.OpenAt(Libc.AtCwd, path, Libc.ReadOnly | Libc.Directory | Libc.CloseOnExec, 0);
        if (_root.IsInvalid)
        {
            throw Errors.Usage("out_directory", $"--out {path} can't be opened: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}.", "Give a directory you may write to.");
        }
    }

    public string DisplayPath { get; }

    /// <summary>Cleans a path from the sandbox, relative to its workspace; null when there is nothing left that could be a name.</summary>
    public static string? SafeName(string path)
    {
        var parts = new List<string>();
        foreach (var part in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            var clean = new StringBuilder();
            foreach (var c in part)
            {
                clean.Append(char.IsControl(c) ? '_' : c);
            }

            var name = clean.ToString();
            if (name is "." or ".." || Encoding.UTF8.GetByteCount(name) > MaximumNameBytes)
            {
                return null;
            }

            parts.Add(name);
        }

        return parts.Count is > 0 and <= MaximumDepth ? string.Join('/', parts) : null;
    }

    /// <summary>Saves content under a name that <see cref="SafeName"/> returned.</summary>
    public async Task SaveAsync(string name, Stream content, int mode, CancellationToken cancellationToken)
    {
        using var parent = OpenParent(name);
        var last = name[(name.LastIndexOf('/') + 1)..];
        var temporary = $".cove-{Environment.ProcessId}-{_temporary++}";

        // The program's own bits, but never more than its owner may see, and never setuid.
        var handle = Libc.OpenAt(parent, temporary, Libc.WriteOnly | Libc.Create | Libc.Exclusive | Libc.NoFollow | Libc.CloseOnExec, ((uint)mode & 0x1ED) | 0x180);
        if (handle.IsInvalid)
        {
            var error = LastError();
            handle.Dispose();
            throw new IOException(error);
        }

        try
        {
            await using (var file = new FileStream(handle, FileAccess.Write, bufferSize: 0))
            {
                await content.CopyToAsync(file, 256 * 1024, cancellationToken);
            }

            if (Libc.RenameAt(parent, temporary, parent, last) != 0)
            {
                throw new IOException(LastError());
            }
        }
        catch
        {
            _ = Libc.UnlinkAt(parent, temporary, 0);
            throw;
        }
    }

    public void Dispose() => _root.Dispose();

    private SafeFileHandle OpenParent(string name)
    {
        var current = Libc.OpenAt(_root, ".", Libc.ReadOnly | Libc.Directory | Libc.CloseOnExec, 0);
        foreach (var part in name.Split('/').SkipLast(1))
        {
            if (Libc.MakeDirectoryAt(current, part, 0x1ED) != 0 && Marshal.GetLastPInvokeError() != Libc.ErrorExists)
            {
                using (current)
                {
                    throw new IOException(LastError());
                }
            }

            var next = Libc.OpenAt(current, part, Libc.ReadOnly | Libc.Directory | Libc.NoFollow | Libc.CloseOnExec, 0);
            var error = next.IsInvalid ? LastError() : null;
            current.Dispose();
            if (error is not null)
            {
                next.Dispose();
                throw new IOException(error);
            }

            current = next;
        }

        return current;
    }

    private static string LastError() => Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError());
}
