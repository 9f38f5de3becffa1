using System.Net;
using System.Net.Sockets;
using System.Text;
using Cove.Client;
using Xunit;

namespace Cove.Tests.Client;

/// <summary>What is sent again when a server fails in passing, and what never is.</summary>
public sealed class RepetitionTests
{
    private const string Hangup = "";
    private const string List = """{"sandboxes":[]}""";
    private const string Kernel = """{"id":"k","language":"bash","version":"5","busy":false,"restarts":0}""";
    private static readonly SandboxId _sandbox = new("s1");

    [Fact]
    public async Task What_reads_is_sent_again()
    {
        await using var server = new Scripted(Hangup, Answer(503, "{}", "Retry-After: 0"), Answer(200, List));
        await using var client = server.Client();
        Assert.Empty((await client.ListSandboxesAsync()).Sandboxes);
        Assert.Equal(3, server.Requests.Count);
    }

    [Fact]
    public async Task What_creates_is_sent_again_under_one_key()
    {
        await using var server = new Scripted(Hangup, Answer(409, "{}", "Retry-After: 0"), Answer(201, Kernel), Answer(201, Kernel));
        await using var client = server.Client();
        await client.CreateKernelAsync(_sandbox, "k", Language.Bash);
        await client.CreateKernelAsync(_sandbox, "k", Language.Bash);
        var keys = server.Requests.Select(r => r.Split("\r\n").Single(line => line.StartsWith("Idempotency-Key: ", StringComparison.OrdinalIgnoreCase))).ToList();
        Assert.Equal(4, keys.Count);
        Assert.Single(keys[..3].Distinct());
        Assert.NotEqual(keys[0], keys[3]);
        Assert.All(server.Requests, request => Assert.EndsWith("""{"id":"k","language":"bash"}""", request, StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_could_happen_twice_is_not_sent_again()
    {
        await using var server = new Scripted(Answer(503, "{}", "Retry-After: 0"), Hangup);
        await using var client = server.Client();
        Assert.Equal("http_503", (await Assert.ThrowsAsync<CoveException>(() => client.RestartKernelAsync(_sandbox, "k"))).Error.Code);
        Assert.Equal("engine_unreachable", (await Assert.ThrowsAsync<CoveException>(() => client.WriteStdinAsync(_sandbox, new RunId("r1"), new byte[] { 1 }))).Error.Code);
        Assert.Equal(2, server.Requests.Count);
    }

    [Fact]
    public async Task Who_is_told_to_wait_for_long_is_told_so_at_once()
    {
        await using var server = new Scripted(Answer(429, "{}", "Retry-After: 60"));
        await using var client = server.Client();
        var failure = await Assert.ThrowsAsync<CoveException>(() => client.ListSandboxesAsync());
        Assert.Equal(("http_429", TimeSpan.FromMinutes(1)), (failure.Error.Code, failure.RetryAfter));
        Assert.Single(server.Requests);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public async Task It_ends(int retries)
    {
        await using var server = new Scripted([.. Enumerable.Repeat(Answer(503, "{}", "Retry-After: 0"), retries + 1)]);
        await using var client = server.Client(retries);
        Assert.Equal("http_503", (await Assert.ThrowsAsync<CoveException>(() => client.ListSandboxesAsync())).Error.Code);
        Assert.Equal(retries + 1, server.Requests.Count);
        Assert.Throws<ArgumentOutOfRangeException>(() => new CoveClientOptions { Retries = 11 });
    }

    private static string Answer(int status, string body, string? header = null) =>
        $"HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\nConnection: close\r\n{(header is null ? "" : header + "\r\n")}Content-Length: {body.Length}\r\n\r\n{body}";

    /// <summary>Answers each connection's one request with the next line of a script; an empty one hangs up.</summary>
    private sealed class Scripted : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly Task _work;

        public Scripted(params string[] answers)
        {
            _listener.Start();
            _work = AnswerAsync(answers);
        }

        public List<string> Requests { get; } = [];

        public CoveClient Client(int retries = 2) => new(new CoveClientOptions { Server = new Uri("http://" + _listener.LocalEndpoint), Retries = retries });

        public async ValueTask DisposeAsync()
        {
            _listener.Dispose();
            await _work;
        }

        private async Task AnswerAsync(string[] answers)
        {
            try
            {
                foreach (var answer in answers)
                {
                    using var connection = await _listener.AcceptTcpClientAsync();
                    await using var stream = connection.GetStream();
                    Requests.Add(await ReadAsync(stream));
                    await stream.WriteAsync(Encoding.ASCII.GetBytes(answer));
                }
            }
            catch (Exception failure) when (failure is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }

        private static async Task<string> ReadAsync(NetworkStream stream)
        {
            var text = new StringBuilder();
            var buffer = new byte[4096];
            while (true)
            {
                text.Append(Encoding.ASCII.GetString(buffer, 0, await stream.ReadAsync(buffer)));
                var all = text.ToString();
                var end = all.IndexOf("\r\n\r\n", StringComparison.Ordinal);
                if (end < 0)
                {
                    continue;
                }

                var length = all[..end].Split("\r\n").Where(l => l.StartsWith("Content-Length: ", StringComparison.OrdinalIgnoreCase)).Select(l => int.Parse(l[16..])).SingleOrDefault();
                if (all.Length - end - 4 >= length)
                {
                    return all;
                }
            }
        }
    }
}
