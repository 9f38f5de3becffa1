using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Server.Hostile;

/// <summary>Callers who ask for much and read nothing.</summary>
public sealed class SlowReaders
{
    private const int Readers = 200;
    private const int OutputBytes = 1_000_000;

    [Fact]
    public async Task Who_reads_nothing_pins_no_memory_and_slows_nobody()
    {
        await using var server = ServeProcess.Start(null, "--allow-anonymous");
        using var http = await server.AnswersAsync();
        using var made = await http.PostAsJsonAsync("/v1/sandboxes", new { }, TestContext.Current.CancellationToken);
        var sandbox = (await made.Content.ReadFromJsonAsync<JsonElement>(TestContext.Current.CancellationToken)).GetProperty("id").GetString();
        var output = await RunAsync(http, sandbox!, $"print('x' * {OutputBytes})");
        Assert.True(output.Length > OutputBytes);
        var before = ResidentBytes(server.Id);

        var open = new List<Socket>();
        try
        {
            var run = output.Split("\"run\":\"")[1].Split('"')[0];
            for (var i = 0; i < Readers; i++)
            {
                open.Add(await AskAsync(http.BaseAddress!.Port, $"GET /v1/sandboxes/{sandbox}/runs/{run}/events HTTP/1.1\r\nHost: localhost\r\n\r\n"));
            }

            // Every one has been answered, as far as its buffers take it; others are served as before.
            Assert.Contains("\"outcome\":\"ok\"", await RunAsync(http, sandbox!, "1+1"), StringComparison.Ordinal);
            var each = (ResidentBytes(server.Id) - before) / Readers;
            Assert.True(each < OutputBytes / 2, $"{each} bytes for each of {Readers} readers, of an output of {OutputBytes}");
        }
        finally
        {
            open.ForEach(socket => socket.Dispose());
        }
    }

    private static async Task<string> RunAsync(HttpClient http, string sandbox, string code)
    {
        using var run = await http.PostAsJsonAsync($"/v1/sandboxes/{sandbox}/runs", new { code }, TestContext.Current.CancellationToken);
        return await run.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
    }

    /// <summary>Asks and waits for the first byte of the answer, with a receive buffer that takes little.</summary>
    private static async Task<Socket> AskAsync(int port, string request)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 4096 };
        await socket.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
        await socket.SendAsync(Encoding.ASCII.GetBytes(request), TestContext.Current.CancellationToken);
        Assert.Equal(1, await socket.ReceiveAsync(new byte[1], TestContext.Current.CancellationToken));
        return socket;
    }

    private static long ResidentBytes(int pid) =>
        long.Parse(File.ReadLines($"/proc/{pid}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1]) * 1024;
}
