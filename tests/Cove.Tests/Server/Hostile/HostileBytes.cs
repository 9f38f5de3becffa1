using System.Net.Sockets;
using System.Text;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Server.Hostile;

/// <summary>What is no HTTP, or two things at once: refused or hung up on, never a failure, never a second request that nobody sent.</summary>
public sealed class HostileBytes
{
    private const string Crlf = "\r\n";

    public static TheoryData<string, string> Requests() => new()
    {
        { "two lengths", "POST /v1/sandboxes HTTP/1.1|Host: localhost|Content-Type: application/json|Content-Length: 2|Content-Length: 40||{}" },
        { "a negative length", "POST /v1/sandboxes HTTP/1.1|Host: localhost|Content-Length: -1||{}" },
        { "a length beyond all numbers", "POST /v1/sandboxes HTTP/1.1|Host: localhost|Content-Type: application/json|Content-Length: 99999999999999999999||{}" },
        { "a length beyond the bound", "POST /v1/sandboxes HTTP/1.1|Host: localhost|Content-Type: application/json|Content-Length: 999999999999||{}" },
        { "a chunk beyond all numbers", "POST /v1/sandboxes HTTP/1.1|Host: localhost|Content-Type: application/json|Transfer-Encoding: chunked||ffffffffffffffffff|{}|0||" },
        { "a negative chunk", "POST /v1/sandboxes HTTP/1.1|Host: localhost|Content-Type: application/json|Transfer-Encoding: chunked||-2|{}|0||" },
        { "a chunk that is none", "POST /v1/sandboxes HTTP/1.1|Host: localhost|Content-Type: application/json|Transfer-Encoding: chunked||zz|{}|0||" },
        { "an unknown coding", "POST /v1/sandboxes HTTP/1.1|Host: localhost|Content-Type: application/json|Transfer-Encoding: gzip, x||{}" },
        { "chunked, but not last", "POST /v1/sandboxes HTTP/1.1|Host: localhost|Content-Type: application/json|Transfer-Encoding: chunked, identity||{}" },
        { "no host", "GET /v1/sandboxes HTTP/1.1||" },
        { "two hosts", "GET /v1/sandboxes HTTP/1.1|Host: localhost|Host: evil.example||" },
        { "another host in the target", "GET http://evil.example/v1/sandboxes HTTP/1.1|Host: localhost||" },
        { "a host with a dot behind", "GET /v1/sandboxes HTTP/1.1|Host: localhost.||" },
        { "a host with spaces", "GET /v1/sandboxes HTTP/1.1|Host: local host||" },
        { "a host with a user", "GET /v1/sandboxes HTTP/1.1|Host: localhost@evil.example||" },
        { "an empty host", "GET /v1/sandboxes HTTP/1.1|Host: ||" },
        { "a host that is all hosts", "GET /v1/sandboxes HTTP/1.1|Host: *||" },
        { "a host of another loopback", "GET /v1/sandboxes HTTP/1.1|Host: 127.0.0.2||" },
        { "a host in brackets", "GET /v1/sandboxes HTTP/1.1|Host: [::ffff:7f00:1]||" },
        { "the host a proxy is said to have heard", "GET /v1/sandboxes HTTP/1.1|Host: evil.example|X-Forwarded-Host: localhost||" },
        { "an origin that only looks the same", "GET /v1/sandboxes HTTP/1.1|Host: localhost|Origin: http://localhost.evil.example||" },
        { "two origins", "GET /v1/sandboxes HTTP/1.1|Host: localhost|Origin: http://localhost|Origin: http://evil.example||" },
        { "no key, but a forwarded address", "GET /v1/sandboxes HTTP/1.1|Host: localhost|X-Forwarded-For: 127.0.0.1||" },
        { "another method in a header", "POST /health HTTP/1.1|Host: localhost|X-HTTP-Method-Override: GET|Content-Length: 0||" },
        { "a method nobody knows", "BREW /v1/sandboxes HTTP/1.1|Host: localhost||" },
        { "all of the server", "OPTIONS * HTTP/1.1|Host: localhost||" },
        { "a tunnel", "CONNECT 169.254.169.254:80 HTTP/1.1|Host: 169.254.169.254:80||" },
        { "an echo", "TRACE / HTTP/1.1|Host: localhost||" },
        { "a version nobody knows", "GET / HTTP/9.9|Host: localhost||" },
        { "HTTP/2 that was not agreed on", "PRI * HTTP/2.0||SM||" },
        { "no version", "GET /|" },
        { "a header with a NUL", "GET / HTTP/1.1|Host: localhost|X: a\0b||" },
        { "a header over two lines", "GET / HTTP/1.1|Host: localhost|X: a| b||" },
        { "a space before the colon", "GET / HTTP/1.1|Host: localhost|Content-Length : 5||hello" },
        { "a path with a NUL", "GET /v1/\0 HTTP/1.1|Host: localhost||" },
        { "a step up", "GET /health/../v1/sandboxes HTTP/1.1|Host: localhost||" },
        { "an escaped step up", "GET /health/%2E%2e/v1/sandboxes HTTP/1.1|Host: localhost||" },
        { "a step nowhere", "GET /./v1/sandboxes HTTP/1.1|Host: localhost||" },
        { "TLS", "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003||" },
    };

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task It_is_refused_and_the_server_goes_on(string what, string request)
    {
        await using var server = await AccessServer.StartAsync(new FakeCove());
        var answer = await RawHttp.SendAsync(server.Http.BaseAddress!, Encoding.Latin1.GetBytes(request.Replace("|", Crlf, StringComparison.Ordinal)), headOnly: true);
        Assert.True(answer.Status is 0 or (>= 400 and < 500) or 505, $"{what}: {answer.Status} {answer.Body}");
        Assert.True(answer.Status == 0 || answer.IsProblem || answer.Header("Content-Length") == "0", $"{what}: {answer.Head}");
        Assert.Equal("ok", await server.Http.GetStringAsync("/health"));
    }

    /// <summary>As documented: there is no request yet that anything of ours could answer.</summary>
    [Theory]
    [InlineData(9 << 10, 0, 414)]
    [InlineData(1, 65, 431)]
    public async Task What_is_beyond_the_bounds_of_a_head_is_refused_without_a_problem(int path, int headers, int status)
    {
        await using var server = await AccessServer.StartAsync(new FakeCove());
        var request = $"GET /{new string('p', path)} HTTP/1.1{Crlf}Host: localhost{Crlf}{string.Concat(Enumerable.Range(0, headers).Select(i => $"X-{i}: 1{Crlf}"))}{Crlf}";
        var answer = await RawHttp.SendAsync(server.Http.BaseAddress!, Encoding.Latin1.GetBytes(request));
        Assert.Equal((status, "0", ""), (answer.Status, answer.Header("Content-Length"), answer.Body));
    }

    /// <summary>Whichever of the two lengths counts, what follows must not become a request of its own.</summary>
    [Theory]
    [InlineData("Content-Length: 6|Transfer-Encoding: chunked")]
    [InlineData("Transfer-Encoding: chunked|Content-Length: 6")]
    [InlineData("Transfer-Encoding: xchunked|Content-Length: 6")]
    [InlineData("Transfer-Encoding:\u000bchunked|Content-Length: 6")]
    [InlineData("Transfer-Encoding : chunked|Content-Length: 6")]
    public async Task A_body_of_two_lengths_smuggles_no_request(string lengths)
    {
        var cove = new FakeCove();
        await using var server = await AccessServer.StartAsync(cove);
        var key = await server.KeyAsync();
        var hidden = $"POST /v1/sandboxes HTTP/1.1|Host: localhost|X-API-Key: {key}|Content-Type: application/json|Content-Length: 2||{{}}";
        var request = $"POST /v1/sandboxes HTTP/1.1|Host: localhost|X-API-Key: {key}|Content-Type: text/plain|{lengths}||0||{hidden}".Replace("|", Crlf, StringComparison.Ordinal);
        var answer = await RawHttp.SendAsync(server.Http.BaseAddress!, Encoding.Latin1.GetBytes(request), headOnly: true);
        Assert.True(answer.Status is >= 400 and < 500, answer.Head);
        Assert.Equal("ok", await server.Http.GetStringAsync("/health"));
        Assert.Empty(cove.Sandboxes);
    }

    [Theory]
    [InlineData("/v1/sandboxes", "application/json")]
    [InlineData("/execute", "application/json")]
    public async Task A_body_in_chunks_that_goes_beyond_the_bound_is_cut_off(string path, string type)
    {
        await using var server = await AccessServer.StartAsync(new FakeCove(), options: o => o with { MaxBodyBytes = 1 << 16 });
        var key = await server.KeyAsync();
        using var client = new TcpClient();
        await client.ConnectAsync(server.Http.BaseAddress!.Host, server.Http.BaseAddress.Port);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"POST {path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\nContent-Type: {type}\r\nTransfer-Encoding: chunked\r\n\r\n"));
        var chunk = Encoding.ASCII.GetBytes("4000\r\n" + new string(' ', 0x4000) + "\r\n");
        var buffer = new byte[4096];
        var answer = stream.ReadAsync(buffer).AsTask();
        var sent = 0;
        try
        {
            for (; !answer.IsCompleted && sent < 4096; sent++)
            {
                await stream.WriteAsync(chunk);
            }
        }
        catch (IOException)
        {
            // Hung up on.
        }

        Assert.True(sent < 4096, "64 MiB were taken.");
        try
        {
            Assert.Contains(" 413 ", Encoding.ASCII.GetString(buffer, 0, await Eventually.Within(answer)), StringComparison.Ordinal);
        }
        catch (IOException)
        {
            // The reset overtook the answer.
        }

        Assert.Equal("ok", await server.Http.GetStringAsync("/health"));
    }

    /// <summary>A body is not read before it is known who sends it.</summary>
    [Fact]
    public async Task Nothing_of_a_body_is_waited_for_without_a_key()
    {
        await using var server = await AccessServer.StartAsync(new FakeCove());
        foreach (var expect in new[] { "", "Expect: 100-continue\r\n" })
        {
            var answer = await RawHttp.SendAsync(server.Http.BaseAddress!, Encoding.ASCII.GetBytes($"POST /v1/sandboxes HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{expect}Content-Length: 90000000\r\n\r\n"), headOnly: true);
            Assert.Equal(401, answer.Status);
        }
    }
}
