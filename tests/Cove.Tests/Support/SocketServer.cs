using Cove.Client;
using Cove.Server.Hosting;

namespace Cove.Tests.Support;

/// <summary>The native front-end on a real Unix socket, before a fake Cove.</summary>
internal sealed class SocketServer : IAsyncDisposable
{
    private readonly DirectoryInfo _directory;
    private readonly EngineHost _host;

    private SocketServer(DirectoryInfo directory, EngineHost host, FakeCove cove, string socket)
    {
        (_directory, _host) = (directory, host);
        (Cove, Socket) = (cove, socket);
        Client = NewClient();
        Http = Raw(socket);
    }

    public FakeCove Cove { get; }

    public string Socket { get; }

    public CoveClient Client { get; }

    public HttpClient Http { get; }

    /// <param name="idleLimit">When it ends by itself.</param>
    /// <param name="ownUser">Whose processes it answers.</param>
    /// <param name="engine">What answers in place of the fake.</param>
    public static async Task<SocketServer> StartAsync(TimeSpan? idleLimit = null, uint ownUser = 0, ICove? engine = null)
    {
        var directory = TemporaryPlace.Make();
        var cove = new FakeCove();
        var socket = Path.Combine(directory.FullName, "engine.sock");
        var host = await EngineHost.StartAsync(engine ?? cove, new EngineHostOptions
        {
            SocketPath = socket,
            Build = "build1",
            Isolation = FakeCove.Tier,
            OwnUser = ownUser == 0 ? global::Cove.Cli.Libc.EffectiveUser() : ownUser,
            IdleLimit = idleLimit ?? TimeSpan.FromMinutes(10),
        });
        return new SocketServer(directory, host, cove, socket);
    }

    public Task RunAsync() => _host.RunAsync();

    public CoveClient NewClient(string? build = "build1", TimeProvider? time = null) => new(new CoveClientOptions
    {
        UnixSocket = Socket,
        Build = build,
        AcceptedUsers = [global::Cove.Cli.Libc.EffectiveUser()],
        Time = time ?? TimeProvider.System,
    });

    public static HttpClient Raw(string socket) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (_, cancellationToken) =>
        {
            var connection = new System.Net.Sockets.Socket(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
            await connection.ConnectAsync(new System.Net.Sockets.UnixDomainSocketEndPoint(socket), cancellationToken);
            return new System.Net.Sockets.NetworkStream(connection, ownsSocket: true);
        },
        Expect100ContinueTimeout = Eventually.Limit,
    })
    {
        BaseAddress = new Uri("http://cove/"),
        Timeout = TimeSpan.FromMinutes(5),
    };

    public async Task<SandboxId> SandboxAsync() => (await Cove.CreateSandboxAsync(new SandboxRequest())).Id;

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Client.DisposeAsync();
        await _host.DisposeAsync();
        _directory.Delete(recursive: true);
    }
}
