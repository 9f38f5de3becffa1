using System.Buffers;
using System.Text;
using System.Text.Unicode;
using Cove.Agent.Tools.Sandbox;
using Cove.Server.Hosting;
using ModelContextProtocol.Protocol;

namespace Cove.Server.Frontends.Mcp.Tools;

/// <summary>Files of sandboxes as resources: <c>cove://sandbox/ID/workspace/report.csv</c>.</summary>
internal static class McpFiles
{
    public const string Template = "cove://sandbox/{sandbox_id}/{+path}";

    /// <summary>The longest file that is read as one resource, and the largest picture.</summary>
    public const int MostBytes = 1 << 20;

    private const string Prefix = "cove://sandbox/";

    public static string Uri(SandboxId sandbox, string path) => Prefix + sandbox.Value + string.Join('/', path.Split('/').Select(System.Uri.EscapeDataString));

    /// <summary>The file a URI means; null when it is none of ours.</summary>
    public static (SandboxId Sandbox, string Path)? Parse(string uri)
    {
        if (!uri.StartsWith(Prefix, StringComparison.Ordinal) || uri.IndexOf('/', Prefix.Length) is not (> 0 and var slash))
        {
            return null;
        }

        return SandboxId.TryParse(uri[Prefix.Length..slash], out var sandbox) ? (sandbox, System.Uri.UnescapeDataString(uri[slash..])) : null;
    }

    public static FileLink Describe(SandboxId sandbox, FileEntry entry) => new() { Path = entry.Path, Uri = Uri(sandbox, entry.Path), SizeBytes = entry.SizeBytes, MediaType = MediaTypes.Of(entry.Path) };

    public static ContentBlock Link(FileLink file) => new ResourceLinkBlock { Uri = file.Uri, Name = file.Path[(file.Path.LastIndexOf('/') + 1)..], Title = file.Path, MimeType = file.MediaType, Size = file.SizeBytes };

    /// <summary>A whole file, as text where it is some.</summary>
    public static async Task<ResourceContents> ReadAsync(ICove cove, string uri, CancellationToken cancellationToken)
    {
        var (sandbox, path) = Parse(uri) ?? throw new CoveException(Problems.Request("not_found", "There is no such resource.", $"Resources are {Template}.") with { Category = ErrorCategory.NotFound });
        var bytes = await PartAsync(cove, sandbox, path, 0, MostBytes + 1, cancellationToken);
        if (bytes.Length > MostBytes)
        {
            throw Problems.Bad("file_too_large", $"{path} is longer than {MostBytes:N0} bytes, which is the most that is read as one resource.", "Read it in parts with read_file.");
        }

        return IsText(bytes)
            ? new TextResourceContents { Uri = uri, MimeType = MediaTypes.Of(path) is var type and not "application/octet-stream" ? type : "text/plain", Text = Encoding.UTF8.GetString(bytes) }
            : BlobResourceContents.FromBytes(bytes, uri, Pictures.Of(bytes) ?? MediaTypes.Of(path));
    }

    /// <summary>At most so many bytes of a file from a place on.</summary>
    public static async Task<byte[]> PartAsync(ICove cove, SandboxId sandbox, string path, long offset, int most, CancellationToken cancellationToken)
    {
        await using var file = await cove.ReadFileAsync(sandbox, path, new FileRange(offset, most), cancellationToken);
        var buffer = ArrayPool<byte>.Shared.Rent(most);
        try
        {
            var count = await file.ReadAtLeastAsync(buffer.AsMemory(0, most), most, throwOnEndOfStream: false, cancellationToken);
            return buffer[..count];
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Whether bytes are text: UTF-8 without a NUL.</summary>
    public static bool IsText(ReadOnlySpan<byte> bytes) => !bytes.Contains((byte)0) && Utf8.IsValid(bytes);
}
