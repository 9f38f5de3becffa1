using System.Net;
using System.Net.WebSockets;
using System.Text;
using Cove.Server.Access;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Server.Hostile;

/// <summary>Who stays: with a key that is revoked, or in more connections than its share; and who asks through a proxy.</summary>
public sealed class LongStays
{
    [Fact]
    public async Task What_a_key_opened_is_cut_off_when_it_is_revoked_and_only_that()
    {
        var cove = new FakeCove { Run = run => run.Killed };
        await using var server = await AccessServer.StartAsync(cove);
        var (lost, kept) = (await server.KeyAsync(), await server.KeyAsync());
        var sandbox = await server.SandboxAsync(kept);
        using var ofLost = await StreamAsync(server, lost, sandbox);
        using var ofKept = await StreamAsync(server, kept, sandbox);
        using var terminal = new ClientWebSocket();
        terminal.Options.SetRequestHeader("X-API-Key", lost);
        await terminal.ConnectAsync(new Uri($"ws://{server.Http.BaseAddress!.Authority}/v1/sandboxes/{sandbox.Value}/terminals"), CancellationToken.None);
        await terminal.SendAsync("{}"u8.ToArray(), WebSocketMessageType.Text, true, CancellationToken.None);
        Assert.Equal(WebSocketMessageType.Text, (await terminal.ReceiveAsync(new byte[4096], CancellationToken.None)).MessageType);
        var heard = ofKept.ReadExactlyAsync(new byte[1 << 20]).AsTask();

        await new KeyDesk(server.State.Keys, server.State.Time).RevokeAsync(lost);

        await Eventually.Within(Assert.ThrowsAnyAsync<Exception>(async () => await ofLost.ReadExactlyAsync(new byte[1 << 20])));
        await Eventually.Within(Assert.ThrowsAsync<WebSocketException>(async () => await terminal.ReceiveAsync(new byte[4096], CancellationToken.None)));
        Assert.False(heard.IsCompleted);
    }

    [Fact]
    public async Task One_project_has_its_share_of_open_requests_and_no_more()
    {
        var cove = new FakeCove { Run = run => run.Killed };
        await using var server = await AccessServer.StartAsync(cove, change: o => o with { MaxOpenRequests = 2 });
        var (one, two) = (await server.KeyAsync("alpha"), await server.KeyAsync("beta"));
        var (mine, theirs) = (await server.SandboxAsync(one), await server.SandboxAsync(two));
        var first = await StreamAsync(server, one, mine);
        using var second = await StreamAsync(server, one, mine);
        using (var refused = await server.SendAsync("GET", "/v1/sandboxes", one))
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
            Assert.NotNull(refused.Headers.RetryAfter);
            Assert.Contains("open_requests", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        using (var other = await server.SendAsync("GET", "/v1/sandboxes/" + theirs.Value, two))
        {
            Assert.Equal(HttpStatusCode.OK, other.StatusCode);
        }

        await first.DisposeAsync();
        await Eventually.Holds(async () => (await server.SendAsync("GET", "/v1/sandboxes", one)).StatusCode == HttpStatusCode.OK, "what was closed made room");
    }

    [Theory]
    [InlineData("X-Forwarded-Proto")]
    [InlineData("x-forwarded-port")]
    [InlineData("Via")]
    public async Task What_a_proxy_passes_on_is_not_this_machines_own_question(string header)
    {
        await using var server = await AccessServer.StartAsync(new FakeCove());
        using var own = await server.SendAsync("GET", "/metrics", null);
        Assert.Equal(HttpStatusCode.OK, own.StatusCode);
        using var passed = await server.SendAsync("GET", "/metrics", null, null, (header, "x"));
        Assert.Equal(HttpStatusCode.Unauthorized, passed.StatusCode);
    }

    private static async Task<Stream> StreamAsync(AccessServer server, string key, SandboxId sandbox)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/sandboxes/{sandbox.Value}/runs") { Content = new StringContent("""{"code":"1"}""", Encoding.UTF8, "application/json") };
        request.Headers.TryAddWithoutValidation("X-API-Key", key);
        request.Headers.TryAddWithoutValidation("Accept", "application/x-ndjson");
        var response = await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var stream = await response.Content.ReadAsStreamAsync();
        await stream.ReadExactlyAsync(new byte[10]);
        return stream;
    }
}
