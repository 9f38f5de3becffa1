using System.Net.Http.Json;
using System.Text;
using Cove.Server.Access;
using Cove.Server.Access.Quotas;
using Cove.Server.Hosting;
using Cove.Server.Settings;
using Cove.Server.State;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cove.Tests.Support;

/// <summary>The real server on TCP with its access control and a real database, before a Cove of the test's choice.</summary>
internal sealed class AccessServer : IAsyncDisposable
{
    private readonly TemporaryDirectory? _own;
    private readonly CoveServer _server;
    private readonly AccessControl _access;

    private AccessServer(TemporaryDirectory? own, StateStore state, AccessControl access, CoveServer server, IEndpointRouteBuilder routes)
    {
        (_own, _access, _server, State) = (own, access, server, state);
        Endpoints = [.. routes.DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>()];
        Http = new HttpClient { BaseAddress = new Uri(server.Addresses[0]), Timeout = TimeSpan.FromMinutes(5) };
    }

    public StateStore State { get; }

    public AccessControl Access => _access;

    public IReadOnlyList<RouteEndpoint> Endpoints { get; }

    public HttpClient Http { get; }

    public static async Task<AccessServer> StartAsync(ICove cove, StateOptions? state = null, QuotaOptions? quotas = null, Func<AccessOptions, AccessOptions>? change = null, Func<ServerOptions, ServerOptions>? options = null, TimeProvider? time = null)
    {
        var own = state is null ? new TemporaryDirectory() : null;
        var store = await StateStore.OpenAsync(state ?? new StateOptions { DataDirectory = Path.Combine(own!.Path, "data") }, NullLogger.Instance);
        var who = new AccessOptions { LoopbackOnly = true, Address = "http://127.0.0.1", Quotas = quotas ?? new QuotaOptions() };
        var access = await AccessControl.StartAsync(cove, store, change?.Invoke(who) ?? who, NullLogger.Instance);
        IEndpointRouteBuilder? routes = null;
        var parts = new ServerParts
        {
            Cove = cove,
            Isolation = FakeCove.Tier,
            Version = "1",
            Loggers = NullLoggerFactory.Instance,
            Time = time ?? TimeProvider.System,
            UseAccess = app =>
            {
                routes = (IEndpointRouteBuilder)app;
                access.Use(app);
            },
        };
        var chosen = new ServerOptions { Urls = [new ListenUrl(false, System.Net.IPAddress.Loopback, 0)], DataDirectory = "/nowhere" };
        var server = await CoveServer.StartAsync(parts, options?.Invoke(chosen) ?? chosen);
        server.Open();
        return new AccessServer(own, store, access, server, routes!);
    }

    /// <summary>A key, made by what would be another process.</summary>
    public async Task<string> KeyAsync(string project = "default", Scopes scopes = Scopes.All, TimeSpan? life = null) =>
        (await new KeyDesk(State.Keys, State.Time).CreateAsync(new KeyRequest { Name = project + "'s", Project = project, Scopes = scopes, Life = life })).Key.Text;

    public async Task<HttpResponseMessage> SendAsync(string method, string path, string? key, string? body = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Content = body is null ? null : new StringContent(body, Encoding.UTF8, "application/json");
        if (key is not null)
        {
            request.Headers.TryAddWithoutValidation("X-API-Key", key);
        }

        foreach (var (name, value) in headers)
        {
            if (name == "Content-Type")
            {
                request.Content!.Headers.ContentType = new(value);
                continue;
            }

            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await Http.SendAsync(request);
    }

    public async Task<SandboxId> SandboxAsync(string key)
    {
        using var response = await SendAsync("POST", "/v1/sandboxes", key, """{"template":"base","create_timeout_ms":300000}""");
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync(Wire.CoveJson.Default.SandboxInfo))!.Id;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _server.DisposeAsync();
        await _access.DisposeAsync();
        await State.DisposeAsync();
        _own?.Dispose();
    }
}
