using System.ComponentModel;
using System.Text;
using System.Text.Json.Serialization;
using System.Text.Unicode;
using Cove.Agent.Tools.Sandbox;
using Cove.Server.Hosting;
using ModelContextProtocol.Protocol;

namespace Cove.Server.Frontends.Mcp.Tools;

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record ReadFileInput
{
    [Description("The sandbox, as create_sandbox returned it.")]
    public required string SandboxId { get; init; }

    [Description("The file's absolute path in the sandbox.")]
    public required string Path { get; init; }

    [Description("The first byte to read, from 0. Default 0.")]
    public long? Offset { get; init; }
}

internal sealed record ReadFileAnswer
{
    [Description("The file's path.")]
    public required string Path { get; init; }

    [Description("The file as a resource, read whole by resources/read.")]
    public required string Uri { get; init; }

    [Description("What it seems to be.")]
    public required string MediaType { get; init; }

    [Description("The text from offset on, at most 20,000 bytes; null when the file is no text. A picture follows as an image.")]
    public required string? Content { get; init; }

    [Description("The first byte that was read.")]
    public required long Offset { get; init; }

    [Description("Where the next part begins; null when this was the last.")]
    public required long? NextOffset { get; init; }
}

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record WriteFileInput
{
    [Description("The sandbox, as create_sandbox returned it.")]
    public required string SandboxId { get; init; }

    [Description("The file's absolute path in the sandbox; what you make belongs in /workspace.")]
    public required string Path { get; init; }

    [Description("What the file shall hold.")]
    public required string Content { get; init; }

    [Description("Whether content is base64 of bytes rather than text. Default false.")]
    public bool? Base64 { get; init; }
}

internal sealed record WrittenAnswer
{
    [Description("The file.")]
    public required FileLink File { get; init; }
}

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record ListFilesInput
{
    [Description("The sandbox, as create_sandbox returned it.")]
    public required string SandboxId { get; init; }

    [Description("The directory. Default /workspace.")]
    public string? Path { get; init; }

    [Description("How deep to look: 1 is the directory alone. Default 1; 1 to 8.")]
    public int? Depth { get; init; }
}

internal sealed record FileListAnswer
{
    [Description("The directory.")]
    public required string Path { get; init; }

    [Description("What it holds, by name.")]
    public required IReadOnlyList<ListedFile> Entries { get; init; }

    [Description("Whether there is more than is listed: look into a subdirectory, or less deep.")]
    public required bool Truncated { get; init; }
}

internal sealed record ListedFile
{
    [Description("Its path in the sandbox.")]
    public required string Path { get; init; }

    [Description("file, directory, symlink or other.")]
    public required FileKind Kind { get; init; }

    [Description("Its length in bytes.")]
    public required long SizeBytes { get; init; }

    [Description("When its content last changed, UTC.")]
    public required DateTimeOffset ModifiedAt { get; init; }
}

/// <summary>Reads a file, a part at a time.</summary>
internal sealed class ReadFileTool() : McpTool<ReadFileInput, ReadFileAnswer>(McpJson.Wire.ReadFileInput, McpJson.Wire.ReadFileAnswer)
{
    private const int MostBytes = 20_000;

    public override string Name => "read_file";

    protected override string Title => "Read a file";

    protected override string Description(IReadOnlyList<TemplateInfo> templates) => "Reads a file of a sandbox: text in parts of 20,000 bytes, pictures as images, anything else as a link to its resource.";

    protected override async Task<CallToolResult> AnswerAsync(ReadFileInput input, McpCall call, CancellationToken cancellationToken)
    {
        var (sandbox, offset) = (McpInput.Sandbox(input.SandboxId), input.Offset ?? 0);
        if (offset < 0)
        {
            throw Problems.Bad("invalid_input", $"offset is {offset}.", "Give the first byte to read, from 0.");
        }

        var cove = call.Caller.Cove;
        var bytes = await McpFiles.PartAsync(cove, sandbox, input.Path, offset, MostBytes + 1, cancellationToken);
        var picture = offset == 0 ? Pictures.Of(bytes) : null;
        var part = picture is null ? Whole(bytes) : [];
        var answer = new ReadFileAnswer
        {
            Path = input.Path,
            Uri = McpFiles.Uri(sandbox, input.Path),
            MediaType = picture ?? MediaTypes.Of(input.Path),
            Content = picture is null && McpFiles.IsText(part) ? Encoding.UTF8.GetString(part) : null,
            Offset = offset,
            NextOffset = picture is null && part.Length < bytes.Length ? offset + part.Length : null,
        };
        return Result(answer, await ShownAsync(cove, sandbox, answer, picture, cancellationToken));
    }

    /// <summary>What is no text is a link, and a picture of bearable size is shown.</summary>
    private static async Task<IReadOnlyList<ContentBlock>> ShownAsync(ICove cove, SandboxId sandbox, ReadFileAnswer answer, string? picture, CancellationToken cancellationToken)
    {
        if (answer.Content is not null)
        {
            return [];
        }

        var link = new ResourceLinkBlock { Uri = answer.Uri, Name = answer.Path[(answer.Path.LastIndexOf('/') + 1)..], MimeType = answer.MediaType };
        if (picture is null)
        {
            return [link];
        }

        var bytes = await McpFiles.PartAsync(cove, sandbox, answer.Path, 0, McpFiles.MostBytes + 1, cancellationToken);
        return bytes.Length > McpFiles.MostBytes ? [link] : [ImageContentBlock.FromBytes(bytes, picture), link];
    }

    /// <summary>As many bytes as go into a part, no character taken apart.</summary>
    private static ReadOnlySpan<byte> Cut(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length <= MostBytes)
        {
            return bytes;
        }

        var part = bytes[..MostBytes];
        for (var back = 0; back < 4; back++)
        {
            if (Utf8.IsValid(part[..^back]))
            {
                return part[..^back];
            }
        }

        return part;
    }

    private static byte[] Whole(byte[] bytes) => Cut(bytes).ToArray();
}

/// <summary>Writes a file.</summary>
internal sealed class WriteFileTool() : McpTool<WriteFileInput, WrittenAnswer>(McpJson.Wire.WriteFileInput, McpJson.Wire.WrittenAnswer)
{
    public override string Name => "write_file";

    public override Scopes Needs => Scopes.Write;

    protected override string Title => "Write a file";

    protected override ToolAnnotations Hints => new() { ReadOnlyHint = false, DestructiveHint = false, IdempotentHint = true, OpenWorldHint = false };

    protected override string Description(IReadOnlyList<TemplateInfo> templates) => "Writes a file of a sandbox whole, replacing what is there and making missing directories.";

    protected override async Task<CallToolResult> AnswerAsync(WriteFileInput input, McpCall call, CancellationToken cancellationToken)
    {
        var sandbox = McpInput.Sandbox(input.SandboxId);
        using var content = new MemoryStream(Bytes(input));
        var written = McpFiles.Describe(sandbox, await call.Caller.Cove.WriteFileAsync(sandbox, input.Path, content, null, cancellationToken));
        return Result(new WrittenAnswer { File = written }, McpFiles.Link(written));
    }

    private static byte[] Bytes(WriteFileInput input)
    {
        try
        {
            return input.Base64 is true ? Convert.FromBase64String(input.Content) : Encoding.UTF8.GetBytes(input.Content);
        }
        catch (FormatException)
        {
            throw Problems.Bad("invalid_input", "content is no base64.", "Give base64 with its padding, or leave out base64 and give text.");
        }
    }
}

/// <summary>Lists a directory.</summary>
internal sealed class ListFilesTool() : McpTool<ListFilesInput, FileListAnswer>(McpJson.Wire.ListFilesInput, McpJson.Wire.FileListAnswer)
{
    private const int MostEntries = 200;
    private const int MostBytes = 15_000;

    public override string Name => "list_files";

    protected override string Title => "List files";

    protected override string Description(IReadOnlyList<TemplateInfo> templates) => "Lists files and directories of a sandbox with their sizes, at most 200.";

    protected override async Task<CallToolResult> AnswerAsync(ListFilesInput input, McpCall call, CancellationToken cancellationToken)
    {
        if (input.Depth is < 1 or > 8)
        {
            throw Problems.Bad("invalid_input", $"depth is {input.Depth}.", "Give 1 to 8.");
        }

        var path = input.Path ?? "/workspace";
        var all = await call.Caller.Cove.ListFilesAsync(McpInput.Sandbox(input.SandboxId), path, input.Depth ?? 1, cancellationToken);
        var entries = Fitting(all);
        return Result(new FileListAnswer { Path = path, Entries = entries, Truncated = entries.Count < all.Count });
    }

    private static List<ListedFile> Fitting(IReadOnlyList<FileEntry> all)
    {
        var (entries, left) = (new List<ListedFile>(), MostBytes);
        foreach (var entry in all.Take(MostEntries))
        {
            if ((left -= Encoding.UTF8.GetByteCount(entry.Path)) < 0)
            {
                break;
            }

            entries.Add(new ListedFile { Path = entry.Path, Kind = entry.Kind, SizeBytes = entry.SizeBytes, ModifiedAt = entry.ModifiedAt.ToUniversalTime() });
        }

        return entries;
    }
}
