using System.Net;
using System.Net.WebSockets;
using System.Text;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Server;

/// <summary>Terminals as messages on the wire; the client's view of them is in Client/ClientTerminalTests.</summary>
public sealed class NativeTerminalsTests : IAsyncLifetime
{
    private SocketServer _server = null!;
    private SandboxId _sandbox;

    public async ValueTask InitializeAsync()
    {
        _server = await SocketServer.StartAsync();
        _sandbox = (await _server.Cove.CreateSandboxAsync(new SandboxRequest())).Id;
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Bytes_go_both_ways_sizes_in_and_the_exit_code_out()
    {
        using var socket = await ConnectAsync();
        await SendAsync(socket, """{"argv":["vim"],"columns":100,"environment":{"A":"b"}}""");
        Assert.Equal("""{"type":"started"}""", await ReceiveAsync(socket, WebSocketMessageType.Text));
        Assert.True(_server.Cove.Terminals.TryDequeue(out var terminal));
        Assert.Equal(("vim", 100, 24, "b"), (terminal.Request.Argv![0], terminal.Size.Columns, terminal.Size.Rows, terminal.Request.Environment!["A"]));

        await terminal.ShowAsync(new byte[] { 0, 255, 10 });
        Assert.Equal("\0\u00ff\n", await ReceiveAsync(socket, WebSocketMessageType.Binary));
        await socket.SendAsync(new byte[] { 3, 200 }, WebSocketMessageType.Binary, true, CancellationToken.None);
        Assert.Equal([3, 200], await terminal.TypedAsync(2));
        await SendAsync(socket, """{"type":"resize","columns":7,"rows":9}""");
        await Hang.UntilAsync(() => terminal.Size == (7, 9), "the size changes");

        terminal.End(5);
        Assert.Equal("""{"type":"exit","exit_code":5}""", await ReceiveAsync(socket, WebSocketMessageType.Text));
        Assert.Equal(WebSocketCloseStatus.NormalClosure, await ClosedAsync(socket));
        await Hang.WatchAsync(terminal.Disposed.Task);
    }

    [Theory]
    [InlineData("""{"columns":1000}""", "too_many_terminals")]
    [InlineData("""{"colums":80}""", "bad_json")]
    [InlineData("""{"columns":"wide"}""", "bad_json", "'columns' that is not a whole number without quotes: \\\"wide\\\".")]
    [InlineData("""{"environment":["hunter2"]}""", "bad_json", "'environment' that is not an object of names and values, or breaks off there.")]
    [InlineData("null", "bad_json")]
    [InlineData("", "bad_json")]
    public async Task What_opens_none_is_told_why(string first, string code, string words = "")
    {
        using var socket = await ConnectAsync();
        await SendAsync(socket, first);
        var said = await ReceiveAsync(socket, WebSocketMessageType.Text);
        Assert.StartsWith("""{"type":"error","problem":{""", said, StringComparison.Ordinal);
        Assert.Contains($"\"code\":\"{code}\"", said, StringComparison.Ordinal);
        Assert.Contains(words, said, StringComparison.Ordinal);
        Assert.Equal(WebSocketCloseStatus.PolicyViolation, await ClosedAsync(socket));
    }

    [Theory]
    [InlineData("""{"type":"resize","columns":7}""", WebSocketCloseStatus.InvalidPayloadData)]
    [InlineData("""{"type":"reboot"}""", WebSocketCloseStatus.InvalidPayloadData)]
    [InlineData("ls", WebSocketCloseStatus.InvalidPayloadData)]
    [InlineData(null, WebSocketCloseStatus.MessageTooBig)]
    public async Task A_text_message_that_is_none_closes_it(string? text, WebSocketCloseStatus status)
    {
        using var socket = await ConnectAsync();
        await SendAsync(socket, "{}");
        await ReceiveAsync(socket, WebSocketMessageType.Text);
        await SendAsync(socket, text ?? new string(' ', 5000));
        Assert.Equal(status, await ClosedAsync(socket));
        Assert.True(_server.Cove.Terminals.TryDequeue(out var terminal));
        await Hang.WatchAsync(terminal.Disposed.Task);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_caller_that_leaves_hangs_up(bool politely)
    {
        using var socket = await ConnectAsync();
        await SendAsync(socket, "{}");
        await ReceiveAsync(socket, WebSocketMessageType.Text);
        if (politely)
        {
            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None);
        }
        else
        {
            socket.Abort();
        }

        Assert.True(_server.Cove.Terminals.TryDequeue(out var terminal));
        await Hang.WatchAsync(terminal.Disposed.Task);
    }

    [Fact]
    public async Task Nothing_is_held_for_a_reader_that_does_not_read()
    {
        using var socket = await ConnectAsync();
        await SendAsync(socket, "{}");
        await ReceiveAsync(socket, WebSocketMessageType.Text);
        Assert.True(_server.Cove.Terminals.TryDequeue(out var terminal));
        var shown = 0;
        Task<bool> showing;
        do
        {
            // Far more than every buffer between here and the reader takes: sooner or later it does not fit.
            showing = terminal.ShowAsync(new byte[32 << 10]).AsTask();
            await Task.WhenAny(showing, Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System));
            shown += showing.IsCompleted ? 32 << 10 : 0;
        }
        while (showing.IsCompleted && shown < 64 << 20);
        Assert.InRange(shown, 0, 16 << 20);
        socket.Abort();
        await Hang.WatchAsync(terminal.Disposed.Task);
    }

    [Fact]
    public async Task Without_an_upgrade_it_says_what_is_needed_and_for_an_unknown_sandbox_that_there_is_none()
    {
        using var plain = await _server.Http.GetAsync($"/v1/sandboxes/{_sandbox}/terminals");
        Assert.Equal(HttpStatusCode.UpgradeRequired, plain.StatusCode);
        Assert.Contains("websocket_required", await plain.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        using var unknown = await _server.Http.GetAsync("/v1/sandboxes/sunknown/terminals");
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    [Fact]
    public async Task A_page_opens_none()
    {
        using var socket = new ClientWebSocket();
        socket.Options.CollectHttpResponseDetails = true;
        socket.Options.SetRequestHeader("Origin", "http://localhost");
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(Address, _server.Http, CancellationToken.None));
        Assert.Equal(HttpStatusCode.Forbidden, socket.HttpStatusCode);
        Assert.Empty(_server.Cove.Terminals);
    }

    private Uri Address => new($"ws://cove/v1/sandboxes/{_sandbox}/terminals");

    private async Task<ClientWebSocket> ConnectAsync()
    {
        var socket = new ClientWebSocket();
        await Hang.WatchAsync(socket.ConnectAsync(Address, _server.Http, CancellationToken.None));
        return socket;
    }

    private static Task SendAsync(ClientWebSocket socket, string text) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, CancellationToken.None);

    private static async Task<string> ReceiveAsync(ClientWebSocket socket, WebSocketMessageType type)
    {
        var buffer = new byte[8192];
        var piece = await Hang.WatchAsync(socket.ReceiveAsync(buffer, CancellationToken.None));
        Assert.Equal(type, piece.MessageType);
        return (type == WebSocketMessageType.Text ? Encoding.UTF8 : Encoding.Latin1).GetString(buffer, 0, piece.Count);
    }

    private static async Task<WebSocketCloseStatus?> ClosedAsync(ClientWebSocket socket)
    {
        var piece = await Hang.WatchAsync(socket.ReceiveAsync(new byte[100], CancellationToken.None));
        Assert.Equal(WebSocketMessageType.Close, piece.MessageType);
        await Hang.WatchAsync(socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, CancellationToken.None));
        return piece.CloseStatus;
    }
}
