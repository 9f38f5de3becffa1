using System.Net;
using System.Net.Sockets;
using System.Text;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Server.Hostile;

/// <summary>Callers who keep what they were given: connections, answers they do not read, bodies they never finish.</summary>
public sealed class SlowCallers
{
    private const int Asked = 1000;
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData("/docs/docs.js")]
    [InlineData("/openapi.json")]
    [InlineData("/health")]
    public async Task Who_shows_no_key_and_reads_nothing_is_cut_off(string path)
    {
        var time = new FakeTimeProvider();
        await using var server = await AccessServer.StartAsync(new FakeCove(), time: time);
        using var caller = await ConnectAsync(server);
        var request = Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\nX-Padding: {new string('x', 1000)}\r\n\r\n");
        await Eventually.Holds(() => IsCutOff(caller, request, time), $"a caller that does not read {path} is cut off");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_goes_to_who_reads_it_slowly_and_not_to_who_does_not(bool reads)
    {
        var time = new FakeTimeProvider();
        var cove = new FakeCove();
        cove.Files["/workspace/a"] = new byte[64 << 20];
        await using var server = await AccessServer.StartAsync(cove, time: time);
        var key = await server.KeyAsync();
        using var caller = await ConnectAsync(server);
        var sandbox = await server.SandboxAsync(key);
        await caller.SendAsync(Encoding.ASCII.GetBytes($"GET /v1/sandboxes/{sandbox.Value}/files/content?path=/workspace/a HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\n\r\n"));
        var buffer = new byte[256 << 10];
        if (!reads)
        {
            Assert.NotEqual(0, await caller.ReceiveAsync(buffer));
            await Eventually.Holds(() => IsCutOff(caller, [0], time), "a caller that stops to read its file is cut off");
            return;
        }

        // Five minutes by the server's clock, in each of which more is taken than is asked for, and much less than could be.
        for (var i = 0; i < 300; i++)
        {
            Assert.NotEqual(0, await caller.ReceiveAsync(buffer.AsMemory(0, 4096)));
            time.Advance(Second);
        }

        var left = 32 << 20;
        while (left > 0)
        {
            var read = await caller.ReceiveAsync(buffer);
            Assert.NotEqual(0, read);
            left -= read;
        }
    }

    [Fact]
    public async Task Connections_that_show_no_key_leave_room_for_those_that_do()
    {
        await using var server = await AccessServer.StartAsync(new FakeCove(), options: o => o with { MaxConnections = 16 });
        var key = await server.KeyAsync();
        var idle = new List<Socket>();
        try
        {
            for (var i = 0; i < 40; i++)
            {
                idle.Add(await ConnectAsync(server));
                using var answer = await server.SendAsync("GET", "/v1/sandboxes", key, null, ("Connection", "close"));
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            }

            await Eventually.Holds(() => idle.Count(socket => socket.Poll(0, SelectMode.SelectRead)) >= 36, "all but a quarter of the connections were closed again");
        }
        finally
        {
            idle.ForEach(socket => socket.Dispose());
        }
    }

    [Fact]
    public async Task One_project_keeps_half_of_the_connections()
    {
        await using var server = await AccessServer.StartAsync(new FakeCove(), options: o => o with { MaxConnections = 8 });
        var (one, two) = (await server.KeyAsync("alpha"), await server.KeyAsync("beta"));
        var kept = new List<Socket>();
        try
        {
            for (var i = 0; i < 6; i++)
            {
                kept.Add(await ConnectAsync(server));
                var answer = await AskAsync(kept[^1], one);
                Assert.Equal(i >= 4, answer.Contains("Connection: close", StringComparison.Ordinal));
            }

            kept.Add(await ConnectAsync(server));
            Assert.DoesNotContain("Connection: close", await AskAsync(kept[^1], two), StringComparison.Ordinal);
        }
        finally
        {
            kept.ForEach(socket => socket.Dispose());
        }
    }

    [Fact]
    public async Task Bodies_that_never_end_fill_their_projects_share_and_nothing_else()
    {
        // 16 MiB for all, 8 for one project; a byte of JSON takes three: the second body of 1 MiB and a half is one too many.
        await using var server = await AccessServer.StartAsync(new FakeCove(), change: o => o with { MaxHeldBytes = 16 << 20 });
        var (one, two) = (await server.KeyAsync("alpha"), await server.KeyAsync("beta"));
        var (mine, theirs) = (await server.SandboxAsync(one), await server.SandboxAsync(two));
        var open = new List<Socket>();
        try
        {
            for (var i = 0; i < 8; i++)
            {
                open.Add(await ConnectAsync(server));
                await BeginAsync(open[^1], mine, one, 90 << 20, 3 << 19);
            }

            var refused = await AnyAnswerAsync(open);
            Assert.StartsWith("HTTP/1.1 429", refused, StringComparison.Ordinal);
            Assert.Contains("held_bytes", refused, StringComparison.Ordinal);
            Assert.Contains("Retry-After", refused, StringComparison.Ordinal);
            using var small = await server.SendAsync("POST", $"/v1/sandboxes/{mine.Value}/runs", one, """{"code":"1"}""");
            Assert.Equal(HttpStatusCode.OK, small.StatusCode);
            var code = new string('x', 1 << 20);
            using var large = await server.SendAsync("POST", $"/v1/sandboxes/{theirs.Value}/runs", two, $$"""{"code":"{{code}}"}""");
            Assert.Equal(HttpStatusCode.OK, large.StatusCode);
        }
        finally
        {
            open.ForEach(socket => socket.Dispose());
        }

        var again = new string('x', 1 << 20);
        await Eventually.Holds(
            async () => (await server.SendAsync("POST", $"/v1/sandboxes/{mine.Value}/runs", one, $$"""{"code":"{{again}}"}""")).StatusCode == HttpStatusCode.OK, "what was given up gave its room back");
    }

    [Fact]
    public async Task Messages_of_mcp_that_never_end_are_within_the_same_share()
    {
        await using var server = await AccessServer.StartAsync(new FakeCove(), change: o => o with { MaxHeldBytes = 16 << 20 });
        var key = await server.KeyAsync();
        var open = new List<Socket>();
        try
        {
            for (var i = 0; i < 8; i++)
            {
                open.Add(await ConnectAsync(server));
                await open[^1].SendAsync(Encoding.ASCII.GetBytes($"POST /mcp HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\nAccept: application/json, text/event-stream\r\nContent-Type: application/json\r\nContent-Length: {6 << 20}\r\n\r\n{{\"x\":\""));
                await open[^1].SendAsync(Encoding.ASCII.GetBytes(new string('x', 3 << 19)));
            }

            var refused = await AnyAnswerAsync(open);
            Assert.StartsWith("HTTP/1.1 429", refused, StringComparison.Ordinal);
            Assert.Contains("held_bytes", refused, StringComparison.Ordinal);
        }
        finally
        {
            open.ForEach(socket => socket.Dispose());
        }
    }

    [Fact]
    public async Task Input_that_a_program_does_not_read_counts_until_its_run_ends()
    {
        var ends = new TaskCompletionSource();
        await using var server = await AccessServer.StartAsync(new FakeCove { Run = _ => ends.Task }, change: o => o with { MaxHeldBytes = 16 << 20 });
        var key = await server.KeyAsync();
        var sandbox = await server.SandboxAsync(key);
        var body = $$"""{"shell_line":"sleep 1000","stdin_base64":"{{Convert.ToBase64String(new byte[1 << 20])}}"}""";
        var statuses = new List<HttpStatusCode>();
        for (var i = 0; i < 10; i++)
        {
            using var answer = await server.SendAsync("POST", $"/v1/sandboxes/{sandbox.Value}/runs?background=true", key, body);
            statuses.Add(answer.StatusCode);
        }

        Assert.Equal(HttpStatusCode.Accepted, statuses[0]);
        Assert.Equal(HttpStatusCode.TooManyRequests, statuses[^1]);
        ends.SetResult();
        await Eventually.Holds(async () =>
        {
            using var later = await server.SendAsync("POST", $"/v1/sandboxes/{sandbox.Value}/runs?background=true", key, body);
            return later.StatusCode == HttpStatusCode.Accepted;
        }, "the inputs are given back");
    }

    [Fact]
    public async Task Pictures_that_nobody_reads_fill_their_projects_share_and_the_stream_is_cut()
    {
        var picture = new string('A', 2 << 20);
        var cove = new FakeCove
        {
            Run = run =>
            {
                run.Show(false, ("image/png", picture));
                return Task.CompletedTask;
            },
        };
        await using var server = await AccessServer.StartAsync(cove, change: o => o with { MaxHeldBytes = 32 << 20 });
        var key = await server.KeyAsync();
        var sandbox = await server.SandboxAsync(key);
        var open = new List<Socket>();
        try
        {
            for (var i = 0; i < 8; i++)
            {
                open.Add(await ConnectAsync(server, receiveBytes: 4096));
                await open[^1].SendAsync(Encoding.ASCII.GetBytes($"POST /v1/sandboxes/{sandbox.Value}/runs HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{{\"code\":\"1\"}}"));
            }

            await Eventually.Holds(() => open.Any(HasEnded), "a stream for which there is no room is cut");
        }
        finally
        {
            open.ForEach(socket => socket.Dispose());
        }
    }

    private static async Task<Socket> ConnectAsync(AccessServer server, int receiveBytes = 64 << 10)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = receiveBytes, NoDelay = true };
        await socket.ConnectAsync(IPAddress.Loopback, server.Http.BaseAddress!.Port);
        return socket;
    }

    /// <summary>Lets a second pass at the server, sends more (as far as the server takes it), and says whether the connection is gone.</summary>
    private static bool IsCutOff(Socket caller, byte[] request, FakeTimeProvider time)
    {
        time.Advance(Second);
        caller.Blocking = false;
        for (var i = 0; i < Asked; i++)
        {
            caller.Send(request, SocketFlags.None, out var error);
            if (error is SocketError.ConnectionReset or SocketError.Shutdown or SocketError.ConnectionAborted)
            {
                return true;
            }

            if (error == SocketError.WouldBlock)
            {
                break;
            }
        }

        return false;
    }

    private static bool HasEnded(Socket socket)
    {
        socket.Blocking = false;
        socket.Send([0], SocketFlags.None, out var error);
        return error is SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.Shutdown;
    }

    private static async Task<string> AskAsync(Socket socket, string key)
    {
        await socket.SendAsync(Encoding.ASCII.GetBytes($"GET /v1/sandboxes HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\n\r\n"));
        var buffer = new byte[4096];
        return Encoding.ASCII.GetString(buffer, 0, await Eventually.Within(socket.ReceiveAsync(buffer)));
    }

    /// <summary>Begins a body, and never ends it.</summary>
    private static async Task BeginAsync(Socket socket, SandboxId sandbox, string key, int promised, int sent)
    {
        await socket.SendAsync(Encoding.ASCII.GetBytes($"POST /v1/sandboxes/{sandbox.Value}/runs HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\nContent-Type: application/json\r\nContent-Length: {promised}\r\n\r\n{{\"code\":\""));
        await socket.SendAsync(Encoding.ASCII.GetBytes(new string('x', sent)));
    }

    private static async Task<string> AnyAnswerAsync(List<Socket> sockets)
    {
        await Eventually.Holds(() => sockets.Any(socket => socket.Available > 0), "one of the bodies is refused");
        var told = sockets.First(socket => socket.Available > 0);
        var buffer = new byte[8192];
        return Encoding.ASCII.GetString(buffer, 0, await told.ReceiveAsync(buffer));
    }
}
