using System.Net;
using System.Text;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Server;

/// <summary>Ranges, archives and watches as bytes on the wire, and through the client.</summary>
public sealed class NativeContentsTests : IAsyncLifetime
{
    private SocketServer _server = null!;
    private string _files = "";
    private SandboxId _sandbox;

    public async ValueTask InitializeAsync()
    {
        _server = await SocketServer.StartAsync();
        _sandbox = (await _server.Cove.CreateSandboxAsync(new SandboxRequest())).Id;
        _files = $"/v1/sandboxes/{_sandbox}/files";
        _server.Cove.Files["/f"] = "0123456789"u8.ToArray();
        _server.Cove.Files["/empty"] = [];
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("bytes=2-4", 206, "234", "bytes 2-4/10")]
    [InlineData("bytes=7-", 206, "789", "bytes 7-9/10")]
    [InlineData("bytes=-3", 206, "789", "bytes 7-9/10")]
    [InlineData("bytes=-30", 206, "0123456789", "bytes 0-9/10")]
    [InlineData("bytes=0-99", 206, "0123456789", "bytes 0-9/10")]
    [InlineData("bytes=0-1,4-5", 200, "0123456789", null)]
    [InlineData("lines=0-1", 200, "0123456789", null)]
    [InlineData("bytes=4-2", 200, "0123456789", null)]
    [InlineData("nonsense", 200, "0123456789", null)]
    public async Task A_range_is_answered_with_it(string range, int status, string body, string? contentRange)
    {
        using var answer = await GetAsync(HttpMethod.Get, "/content?path=/f", range);
        Assert.Equal(status, (int)answer.StatusCode);
        Assert.Equal(body, await answer.Content.ReadAsStringAsync());
        Assert.Equal(contentRange, answer.Content.Headers.ContentRange?.ToString());
        Assert.Equal("bytes", answer.Headers.AcceptRanges.ToString());
        using var head = await GetAsync(HttpMethod.Head, "/content?path=/f", range);
        Assert.Equal((status, body.Length), ((int)head.StatusCode, (int)head.Content.Headers.ContentLength!));
    }

    [Theory]
    [InlineData("bytes=10-")]
    [InlineData("bytes=-0")]
    public async Task A_range_of_nothing_is_416(string range)
    {
        using var answer = await GetAsync(HttpMethod.Get, "/content?path=/f", range);
        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, answer.StatusCode);
        Assert.Equal("bytes */10", answer.Content.Headers.ContentRange?.ToString());
        Assert.Contains("\"code\":\"range_not_satisfiable\"", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_client_asks_for_parts()
    {
        await using (var part = await _server.Client.ReadFileAsync(_sandbox, "/f", new FileRange(3, 4)))
        {
            Assert.Equal(4, part.Length);
            Assert.Equal("3456", await new StreamReader(part).ReadToEndAsync());
        }

        await using var empty = await _server.Client.ReadFileAsync(_sandbox, "/empty", new FileRange(0, 5));
        Assert.Equal(0, empty.Length);
        Assert.Equal("range_not_satisfiable", (await Assert.ThrowsAsync<CoveException>(() => _server.Client.ReadFileAsync(_sandbox, "/f", new FileRange(10)))).Error.Code);
        Assert.Equal("invalid_request", (await Assert.ThrowsAsync<CoveException>(() => _server.Client.ReadFileAsync(_sandbox, "/f", new FileRange(-1)))).Error.Code);
    }

    [Fact]
    public async Task Archives_go_both_ways()
    {
        var bytes = new byte[3 << 20];
        Random.Shared.NextBytes(bytes);
        await _server.Client.WriteArchiveAsync(_sandbox, "/workspace", new MemoryStream(bytes));
        Assert.Equal(bytes, _server.Cove.Archive);
        await using var archive = await _server.Client.ReadArchiveAsync(_sandbox, "/workspace");
        using var copy = new MemoryStream();
        await archive.CopyToAsync(copy);
        Assert.Equal(bytes, copy.ToArray());
        using var raw = await _server.Http.GetAsync(_files + "/archive?path=/workspace");
        Assert.Equal("application/x-tar", raw.Content.Headers.ContentType!.ToString());
        using var text = await _server.Http.PutAsync(_files + "/archive?path=/workspace", new StringContent("{}", Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, text.StatusCode);
    }

    [Theory]
    [InlineData(null, "application/x-ndjson", "{\"kind\":\"started\",\"path\":\"/w\"}\n{\"kind\":\"removed\",\"path\":\"/w/a\"}\n")]
    [InlineData("text/event-stream", "text/event-stream", "event: change\ndata: {\"kind\":\"started\",\"path\":\"/w\"}\n\nevent: change\ndata: {\"kind\":\"removed\",\"path\":\"/w/a\"}\n\n")]
    public async Task A_watch_is_lines_or_events(string? accept, string type, string body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, _files + "/watch?path=/w&recursive=true");
        if (accept is not null)
        {
            request.Headers.Accept.ParseAdd(accept);
        }

        // The headers come before anything changes: who sees them knows that the watch stands.
        using var answer = await Hang.WatchAsync(_server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead));
        Assert.Equal(type, answer.Content.Headers.ContentType!.ToString());
        Assert.Contains("watch /w True", _server.Cove.Calls);
        _server.Cove.Changes.Writer.TryWrite(new FileChange { Kind = FileChangeKind.Removed, Path = "/w/a" });
        _server.Cove.Changes.Writer.Complete();
        Assert.Equal(body, await Hang.WatchAsync(answer.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task The_client_watches()
    {
        await using var changes = _server.Client.WatchFilesAsync(_sandbox, "/w").GetAsyncEnumerator();
        Assert.True(await Hang.WatchAsync(changes.MoveNextAsync().AsTask()));
        Assert.Equal(new FileChange { Kind = FileChangeKind.Started, Path = "/w" }, changes.Current);
        _server.Cove.Changes.Writer.TryWrite(new FileChange { Kind = FileChangeKind.Created, Path = "/w/é\n" });
        Assert.True(await Hang.WatchAsync(changes.MoveNextAsync().AsTask()));
        Assert.Equal(new FileChange { Kind = FileChangeKind.Created, Path = "/w/é\n" }, changes.Current);
        _server.Cove.Changes.Writer.Complete();
        Assert.False(await Hang.WatchAsync(changes.MoveNextAsync().AsTask()));
    }

    private async Task<HttpResponseMessage> GetAsync(HttpMethod method, string path, string range)
    {
        using var request = new HttpRequestMessage(method, _files + path);
        request.Headers.TryAddWithoutValidation("Range", range);
        return await _server.Http.SendAsync(request);
    }
}
