using Cove.Server.Hosting;
using Cove.Server.Logs;
using Cove.Server.Settings;
using Microsoft.Extensions.Logging;

namespace Cove.Tests.Support;

/// <summary>The server over TCP on a free port of loopback, before a fake Cove. It has no access control unless a test gives it one.</summary>
internal sealed class TcpServer : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory;
    private readonly ServerLoggers _loggers;

    private TcpServer(TemporaryDirectory directory, ServerLoggers loggers, CoveServer server, FakeCove cove, MemoryStream log)
    {
        (_directory, _loggers, Server, Cove, LogBytes) = (directory, loggers, server, cove, log);
        Http = new HttpClient(new SocketsHttpHandler { Expect100ContinueTimeout = Eventually.Limit }) { BaseAddress = new Uri(server.Addresses[0]), Timeout = TimeSpan.FromMinutes(5) };
    }

    public CoveServer Server { get; }

    public FakeCove Cove { get; }

    public HttpClient Http { get; }

    public MemoryStream LogBytes { get; }

    public Uri Address => Http.BaseAddress!;

    public static async Task<TcpServer> StartAsync(
        Func<ServerOptions, ServerOptions>? options = null, Func<ServerParts, ServerParts>? parts = null, bool open = true, FakeCove? cove = null)
    {
        var directory = new TemporaryDirectory();
        var chosen = new ServerOptions { DataDirectory = directory.Path, Urls = [ListenUrl.TryParse("http://127.0.0.1:0")!], LogLevel = LogLevel.Debug, LogFormat = LogFormat.Json };
        chosen = options?.Invoke(chosen) ?? chosen;
        cove ??= new FakeCove();
        var log = new MemoryStream();
        var loggers = ServerLoggers.Start(chosen, Stream.Synchronized(log), isTerminal: false, "1.2.3", TimeProvider.System);
        var made = new ServerParts { Cove = cove, Isolation = FakeCove.Tier, Version = "1.2.3", Loggers = loggers.Factory };
        try
        {
            var server = await CoveServer.StartAsync(parts?.Invoke(made) ?? made, chosen);
            if (open)
            {
                server.Open();
            }

            return new TcpServer(directory, loggers, server, cove, log);
        }
        catch
        {
            await loggers.DisposeAsync();
            directory.Dispose();
            throw;
        }
    }

    /// <summary>Ends the server and returns its log, line by line.</summary>
    public async Task<IReadOnlyList<string>> EndAndReadLogAsync()
    {
        await Server.DisposeAsync();
        await _loggers.DisposeAsync();
        return System.Text.Encoding.UTF8.GetString(LogBytes.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    public async Task<SandboxId> SandboxAsync() => (await Cove.CreateSandboxAsync(new SandboxRequest())).Id;

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Server.DisposeAsync();
        await _loggers.DisposeAsync();
        _directory.Dispose();
    }
}
