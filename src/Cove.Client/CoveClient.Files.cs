using System.Net.Http.Headers;
using Cove.Wire;

namespace Cove.Client;

public sealed partial class CoveClient
{
    /// <inheritdoc/>
    public async Task<Stream> ReadFileAsync(SandboxId sandbox, string path, FileRange? range = null, CancellationToken cancellationToken = default)
    {
        var response = await SendAsync(HttpMethod.Get, Files(sandbox, "/content", path), null, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        var length = response.Content.Headers.ContentLength ?? throw Failures.BadAnswer(_options.Address, new InvalidDataException("the file's length is missing"));
        return new Download(response, await response.Content.ReadAsStreamAsync(cancellationToken), length, _options.Address);
    }

    /// <inheritdoc/>
    public Task<FileEntry> WriteFileAsync(
        SandboxId sandbox, string path, Stream content, FileWriteOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new FileWriteOptions();
        var target = Files(sandbox, "/content", path)
            + $"&mode={Convert.ToString(options.Mode, 8)}&overwrite={Text(options.Overwrite)}&create_parents={Text(options.CreateParents)}";
        var body = new StreamContent(new Borrowed(content), 256 * 1024);
        body.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return SendAsync(HttpMethod.Put, target, body, CoveJson.Wire.FileEntry, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<FileEntry> StatFileAsync(SandboxId sandbox, string path, CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Get, Files(sandbox, "/stat", path), null, CoveJson.Wire.FileEntry, cancellationToken);

    /// <inheritdoc/>
    public async Task<IReadOnlyList<FileEntry>> ListFilesAsync(SandboxId sandbox, string path, int depth = 1, CancellationToken cancellationToken = default) =>
        (await SendAsync(HttpMethod.Get, Files(sandbox, "/list", path) + $"&depth={depth}", null, CoveJson.Wire.FileList, cancellationToken)).Files;

    /// <inheritdoc/>
    public Task<FileEntry> MakeDirectoryAsync(SandboxId sandbox, string path, CancellationToken cancellationToken = default)
    {
        var body = Body(new DirectoryRequest { Path = path }, CoveJson.Wire.DirectoryRequest);
        return SendAsync(HttpMethod.Post, Of(sandbox) + "/files/mkdir", body, CoveJson.Wire.FileEntry, cancellationToken);
    }

    /// <inheritdoc/>
    public Task<FileEntry> MoveFileAsync(SandboxId sandbox, string from, string to, bool overwrite = false, CancellationToken cancellationToken = default)
    {
        var body = Body(new MoveRequest { From = from, To = to, Overwrite = overwrite }, CoveJson.Wire.MoveRequest);
        return SendAsync(HttpMethod.Post, Of(sandbox) + "/files/move", body, CoveJson.Wire.FileEntry, cancellationToken);
    }

    /// <inheritdoc/>
    public Task RemoveFileAsync(SandboxId sandbox, string path, bool recursive = false, CancellationToken cancellationToken = default) =>
        SendAsync(HttpMethod.Delete, Files(sandbox, "", path) + $"&recursive={Text(recursive)}", null, cancellationToken);

    /// <inheritdoc/>
    public IAsyncEnumerable<FileChange> WatchFilesAsync(SandboxId sandbox, string path, bool recursive = false, CancellationToken cancellationToken = default) => throw new NotSupportedException("unbuilt");

    /// <inheritdoc/>
    public Task<Stream> ReadArchiveAsync(SandboxId sandbox, string path, CancellationToken cancellationToken = default) => throw new NotSupportedException("unbuilt");

    /// <inheritdoc/>
    public Task WriteArchiveAsync(SandboxId sandbox, string path, Stream archive, CancellationToken cancellationToken = default) => throw new NotSupportedException("unbuilt");

    private static string Files(SandboxId sandbox, string verb, string path) => Of(sandbox) + "/files" + verb + "?path=" + Uri.EscapeDataString(path);

    private static string Text(bool value) => value ? "true" : "false";
}
