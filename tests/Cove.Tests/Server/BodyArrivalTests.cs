using System.Net.Sockets;
using System.Text;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Server;

/// <summary>A JSON body means the same in however many pieces it comes, and leaves the connection to the next request.</summary>
public sealed class BodyArrivalTests : IAsyncLifetime
{
    private const string Ask = "POST /v1/sandboxes HTTP/1.1\r\nHost: cove\r\nContent-Type: application/json\r\n";
    private const string Good = """{"template":"t-ü"}""";
    private const string Bad = """{"template":5}""";

    private SocketServer _server = null!;
    private NetworkStream _connection = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await SocketServer.StartAsync();
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(_server.Socket));
        _connection = new NetworkStream(socket, ownsSocket: true);
    }

    public async ValueTask DisposeAsync()
    {
        await _connection.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Theory]
    [InlineData("")]
    [InlineData("\ufeff")]
    public async Task With_its_head(string before)
    {
        await TellAsync(before + Good);
        await AssertMadeAsync();
        await TellAsync(before + Bad);
        await AssertRefusedAsync("'template' that is not a text in quotes");
        await TellAsync("");
        await AssertRefusedAsync("not one JSON object");
        await TellAsync(Good + "{}");
        await AssertRefusedAsync("bad_json");
        await TellAsync(Good);
        await AssertMadeAsync();
    }

    [Fact]
    public async Task After_its_head_and_in_two_pieces()
    {
        foreach (var (body, made) in new[] { (Good, true), (Bad, false), (Good, true) })
        {
            await SendAsync($"{Ask}Expect: 100-continue\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n");
            Assert.StartsWith("HTTP/1.1 100 ", await ReadHeadAsync(), StringComparison.Ordinal); // it has looked, and there was none
            await SendAsync(body[..5]);
            await SendAsync(body[5..]);
            await (made ? AssertMadeAsync() : AssertRefusedAsync("'template'"));
        }
    }

    [Fact]
    public async Task Together_with_part_of_the_next_request()
    {
        await SendAsync(Request(Good) + Request(Bad) + Request(Good)[..20]);
        await AssertMadeAsync();
        await AssertRefusedAsync("'template'");
        await SendAsync(Request(Good)[20..]);
        await AssertMadeAsync();
    }

    /// <summary>Long heads put the body across the blocks in which a connection is read; long bodies are counted.</summary>
    [Theory]
    [InlineData(4000)]
    [InlineData(20_000)]
    public async Task Across_blocks(int padding)
    {
        for (var more = 0; more < 100; more += 9)
        {
            await SendAsync(Request(Good, $"X-Long: {new string('x', Math.Min(padding, 4000) - 100 + more)}\r\n"));
            await AssertMadeAsync();
            await TellAsync(Good + new string(' ', padding + more));
            await AssertMadeAsync();
        }
    }

    private static string Request(string body, string more = "") => $"{Ask}{more}Content-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}";

    private Task TellAsync(string body) => SendAsync(Request(body));

    private async Task SendAsync(string text) => await _connection.WriteAsync(Encoding.UTF8.GetBytes(text));

    private async Task AssertMadeAsync()
    {
        var (head, body) = await AnswerAsync();
        Assert.StartsWith("HTTP/1.1 201 ", head, StringComparison.Ordinal);
        Assert.Contains("\"template\":\"t-ü\"", body, StringComparison.Ordinal);
    }

    private async Task AssertRefusedAsync(string reason)
    {
        var (head, body) = await AnswerAsync();
        Assert.StartsWith("HTTP/1.1 400 ", head, StringComparison.Ordinal);
        Assert.Contains(reason, body, StringComparison.Ordinal);
    }

    private async Task<(string Head, string Body)> AnswerAsync()
    {
        var head = await ReadHeadAsync();
        var length = head.Split("\r\n").Single(line => line.StartsWith("Content-Length: ", StringComparison.OrdinalIgnoreCase))["Content-Length: ".Length..];
        var body = new byte[int.Parse(length, System.Globalization.CultureInfo.InvariantCulture)];
        await _connection.ReadExactlyAsync(body);
        return (head, Encoding.UTF8.GetString(body));
    }

    private async Task<string> ReadHeadAsync()
    {
        var head = new StringBuilder();
        var next = new byte[1];
        while (head.Length < 4 || head.ToString(head.Length - 4, 4) != "\r\n\r\n")
        {
            await _connection.ReadExactlyAsync(next);
            head.Append((char)next[0]);
        }

        return head.ToString();
    }
}
