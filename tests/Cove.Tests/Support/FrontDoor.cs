using System.Net;
using Cove.Server.Frontends;
using Cove.Server.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Cove.Tests.Support;

/// <summary>Every front-end behind the door, on TCP in this process, before any Cove; who asks is the owner.</summary>
internal sealed class FrontDoor : IAsyncDisposable
{
    private readonly WebApplication _app;

    private FrontDoor(WebApplication app)
    {
        _app = app;
        Address = new Uri(app.Urls.First());
        Http = new HttpClient { BaseAddress = Address, Timeout = TimeSpan.FromMinutes(2) };
    }

    public Uri Address { get; }

    public HttpClient Http { get; }

    public static async Task<FrontDoor> StartAsync(ICove cove)
    {
        var app = Compose(cove);
        await app.StartAsync();
        return new FrontDoor(app);
    }

    /// <summary>All routes that a server on the network has.</summary>
    public static IReadOnlyList<RouteEndpoint> Endpoints()
    {
        IEndpointRouteBuilder routes = Compose(new FakeCove());
        return [.. routes.DataSources.SelectMany(source => source.Endpoints).Cast<RouteEndpoint>()];
    }

    private static WebApplication Compose(ICove cove)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(new DoorOptions { Hosts = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "127.0.0.1", "localhost" } });
        builder.Services.AddSingleton<Door>();
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var door = app.Services.GetRequiredService<Door>();
        app.Use(next => context => door.InvokeAsync(context, next));
        app.UseRouting();
        var caller = new Caller { Project = "owner", Scopes = Scopes.All, Cove = cove };
        app.Use(next => context =>
        {
            context.Features.Set(caller);
            return next(context);
        });
        var life = new EngineLife(cove, new EngineHostOptions { SocketPath = "", Build = "", Isolation = FakeCove.Tier, OwnUser = 0 });
        new Routes(app, life).MapAll();
        return app;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await _app.DisposeAsync();
    }
}
