using System.Text;

namespace Cove.Agent.Tools.Sandbox;

/// <summary>Text files of a sandbox, read whole and bounded, written with the permissions they had.</summary>
internal sealed class SandboxTexts(ICove cove, SandboxId sandbox)
{
    /// <summary>Bytes of a file that tools read or write.</summary>
    public const int MaxBytes = 4 << 20;

    private static readonly UTF8Encoding _strict = new(false, throwOnInvalidBytes: true);

    /// <summary>The file's bytes.</summary>
    public async Task<byte[]> BytesAsync(string path, CancellationToken cancellationToken)
    {
        await using var file = await cove.ReadFileAsync(sandbox, path, new FileRange(0, MaxBytes + 1), cancellationToken);
        using var content = new MemoryStream();
        var buffer = new byte[64 << 10];
        for (int count; content.Length <= MaxBytes && (count = await file.ReadAsync(buffer, cancellationToken)) > 0;)
        {
            content.Write(buffer, 0, count);
        }

        return content.Length <= MaxBytes ? content.ToArray()
            : throw new ToolInputException($"The file {Excerpts.OneLine(path)} is larger than {MaxBytes >> 20} MiB.", "Look at a part of it with code or a command.");
    }

    /// <summary>The file's text, byte order mark included; null when it is none.</summary>
    public async Task<string?> ReadAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            var text = _strict.GetString(await BytesAsync(path, cancellationToken));
            return text.Contains('\0') ? null : text;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    /// <summary>Writes a text; true when a file was there before, whose permissions it keeps.</summary>
    public async Task<bool> WriteAsync(string path, string text, CancellationToken cancellationToken)
    {
        var was = await StatAsync(path, cancellationToken);
        if (was is { Kind: FileKind.Symlink })
        {
            throw new ToolInputException($"{Excerpts.OneLine(path)} is a link to {Excerpts.OneLine(was.LinkTarget ?? "nothing")}.", "Name the file that it leads to.");
        }

        using var content = new MemoryStream(_strict.GetBytes(text));
        await cove.WriteFileAsync(sandbox, path, content, was is { Kind: FileKind.File } ? new FileWriteOptions { Mode = was.Mode & 0x1FF } : null, cancellationToken);
        return was is not null;
    }

    /// <summary>What a path is; null when nothing is there.</summary>
    public async Task<FileEntry?> StatAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            return await cove.StatFileAsync(sandbox, path, cancellationToken);
        }
        catch (CoveException none) when (none.Error is { Category: ErrorCategory.NotFound } and { Code: "not_found" or "file_not_found" })
        {
            return null;
        }
    }

    /// <summary>What a directory holds, hidden items and node_modules left out.</summary>
    public async Task<IEnumerable<FileEntry>> ListAsync(string path, int depth, CancellationToken cancellationToken)
    {
        var prefix = path == "/" ? 1 : path.Length + 1;
        var found = await cove.ListFilesAsync(sandbox, path, depth, cancellationToken);
        return found.Where(f => f.Path.Length >= prefix && !f.Path[prefix..].Split('/').Any(part => part.StartsWith('.') || part == "node_modules"));
    }
}
