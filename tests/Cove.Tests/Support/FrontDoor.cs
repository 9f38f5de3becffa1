using Cove.Server.Hosting;
using Cove.Server.Settings;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cove.Tests.Support;

/// <summary>The whole server on TCP in this process, before any Cove; who asks is the owner.</summary>
internal sealed class FrontDoor : IAsyncDisposable
{
    private static readonly Lazy<IReadOnlyList<RouteEndpoint>> _endpoints = new(() => ReadEndpointsAsync().GetAwaiter().GetResult());
    private readonly CoveServer _server;

    private FrontDoor(CoveServer server)
    {
        _server = server;
        Address = new Uri(server.Addresses[0]);
        Http = new HttpClient(new SocketsHttpHandler { Expect100ContinueTimeout = Eventually.Limit }) { BaseAddress = Address, Timeout = TimeSpan.FromMinutes(2) };
    }

    public Uri Address { get; }

    public HttpClient Http { get; }

    public static async Task<FrontDoor> StartAsync(ICove cove)
    {
        var parts = new ServerParts { Cove = cove, Isolation = FakeCove.Tier, Version = "test", Loggers = NullLoggerFactory.Instance };
        var server = await CoveServer.StartAsync(parts, new ServerOptions { DataDirectory = "/nonexistent", Urls = [ListenUrl.Default with { Port = 0 }] });
        server.Open();
        return new FrontDoor(server);
    }

    /// <summary>All routes that a server on the network has.</summary>
    public static IReadOnlyList<RouteEndpoint> Endpoints() => _endpoints.Value;

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _server.DisposeAsync();
    }

    private static async Task<IReadOnlyList<RouteEndpoint>> ReadEndpointsAsync()
    {
        await using var door = await StartAsync(new FakeCove());
        return door._server.Routes;
    }
}
