using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Cove.Wire;

namespace Cove.Client;

public sealed partial class CoveClient
{
    /// <inheritdoc/>
    public async Task<Stream> ReadFileAsync(SandboxId sandbox, string path, FileRange? range = null, CancellationToken cancellationToken = default)
    {
        var response = await SendAsync(HttpMethod.Get, Files(sandbox, "/content", path), null, HttpCompletionOption.ResponseHeadersRead, cancellationToken, request =>
            request.Headers.Range = range is { } part ? Range(part) : null);
        var length = response.Content.Headers.ContentLength ?? throw Failures.BadAnswer(_options.Address, new InvalidDataException("the file's length is missing"));
        if (range is not null && response.StatusCode != HttpStatusCode.PartialContent && length > 0)
        {
            response.Dispose();
            throw Failures.BadAnswer(_options.Address, new InvalidDataException("the range was ignored"));
        }

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
    public async IAsyncEnumerable<FileChange> WatchFilesAsync(
        SandboxId sandbox, string path, bool recursive = false, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var response = await SendAsync(
            HttpMethod.Get, Files(sandbox, "/watch", path) + $"&recursive={Text(recursive)}", null, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        await using var changes = JsonSerializer.DeserializeAsyncEnumerable(stream, CoveJson.Wire.FileChange, topLevelValues: true, cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (await MoveAsync(changes))
        {
            yield return changes.Current ?? throw Failures.BadAnswer(_options.Address, new JsonException("A change is null."));
        }
    }

    /// <inheritdoc/>
    public async Task<Stream> ReadArchiveAsync(SandboxId sandbox, string path, CancellationToken cancellationToken = default)
    {
        var response = await SendAsync(HttpMethod.Get, Files(sandbox, "/archive", path), null, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        return new Download(response, await response.Content.ReadAsStreamAsync(cancellationToken), null, _options.Address);
    }

    /// <inheritdoc/>
    public Task WriteArchiveAsync(SandboxId sandbox, string path, Stream archive, CancellationToken cancellationToken = default)
    {
        var body = new StreamContent(new Borrowed(archive), 256 * 1024);
        body.Headers.ContentType = new MediaTypeHeaderValue("application/x-tar");
        return SendAsync(HttpMethod.Put, Files(sandbox, "/archive", path), body, cancellationToken);
    }

    private async ValueTask<bool> MoveAsync(IAsyncEnumerator<FileChange?> changes)
    {
        try
        {
            return await changes.MoveNextAsync();
        }
        catch (JsonException failure)
        {
            throw Failures.BadAnswer(_options.Address, failure);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            throw Failures.Unreachable(_options.Address, failure);
        }
    }

    private static RangeHeaderValue Range(FileRange range) => range is { Start: >= 0, Length: null or >= 1 }
        ? new RangeHeaderValue(range.Start, range.Length is { } length && length <= long.MaxValue - range.Start ? range.Start + length - 1 : null)
        : throw Failures.OutOfRange("range", range, "a start from 0 and a length from 1");

    private static string Files(SandboxId sandbox, string verb, string path) => Of(sandbox) + "/files" + verb + "?path=" + Uri.EscapeDataString(path);

    private static string Text(bool value) => value ? "true" : "false";
}
