using System.Security.Cryptography.X509Certificates;
using Cove.Server.Bounds;
using Cove.Server.Frontends;
using Cove.Server.Frontends.Mcp;
using Cove.Server.Frontends.Mcp.Http;
using Cove.Server.Health;
using Cove.Server.Settings;
using Cove.Server.Telemetry;
using Cove.Server.Tools;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cove.Server.Hosting;

/// <summary>
/// Kestrel over TCP in front of an engine. A request passes, in this order: correlation and trace, log and metrics, the door (host, origin),
/// the pages that need no key, access, and then its front-end.
/// </summary>
internal sealed class CoveServer : IAsyncDisposable
{
    /// <summary>How long answers that are complete may take to leave once everything else has ended.</summary>
    private static readonly TimeSpan FlushTime = TimeSpan.FromSeconds(2);

    private readonly WebApplication _app;
    private readonly ServerParts _parts;
    private readonly ServerOptions _options;
    private readonly ServerLife _life;
    private readonly ILogger _log;

    private CoveServer(WebApplication app, ServerParts parts, ServerOptions options, ServerLife life)
    {
        (_app, _parts, _options, _life) = (app, parts, options, life);
        _log = parts.Loggers.CreateLogger<CoveServer>();
    }

    /// <summary>Where it listens, with the ports it was given.</summary>
    public IReadOnlyList<string> Addresses => [.. _app.Urls];

    /// <summary>Every route it has.</summary>
    public IReadOnlyList<RouteEndpoint> Routes => [.. ((IEndpointRouteBuilder)_app).DataSources.SelectMany(source => source.Endpoints).Cast<RouteEndpoint>()];

    /// <summary>Listens. Requests are answered once <see cref="Open"/> was called; until then they wait.</summary>
    public static async Task<CoveServer> StartAsync(ServerParts parts, ServerOptions options, CancellationToken cancellationToken = default)
    {
        // The empty builder: no settings file from the working directory, no ASPNETCORE_ variables, no signal handlers of its own.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        var life = new ServerLife();
        var connections = new Connections(options.MaxConnections, parts.Time);
        AddServices(builder.Services, parts, options, life);
        builder.Services.AddSingleton(_ => connections);
        var certificate = options.TlsCertificate is null ? null : Certificate(options.TlsCertificate, options.TlsKey!);
        builder.WebHost.UseKestrelCore();

        // A request is served where its bytes arrived, which is a thread of the pool already: handing it to another costs that one's waking. It would be
        // the thread of all sockets if somebody set DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS, which is not meant for handlers that may wait a little.
        builder.WebHost.UseSockets(static sockets => sockets.UnsafePreferInlineScheduling = true);
        builder.WebHost.ConfigureKestrel(kestrel => Listening.Configure(kestrel, options, certificate, connections));

        var app = builder.Build();
        var server = new CoveServer(app, parts, options, life);
        try
        {
            Compose(app, parts, options, life);
            await app.StartAsync(cancellationToken);
        }
        catch (Exception failure)
        {
            await app.DisposeAsync();
            if (failure is not IOException)
            {
                throw;
            }

            throw new CoveException(Problems.Request("cannot_listen", $"The server can't listen at {string.Join(", ", options.Urls)}: {failure.Message}", "Give other addresses with --urls, COVE_URLS or PORT, or end what listens there."), failure);
        }

        server._log.ServerListens(parts.Version, string.Join(", ", server.Addresses), options.DataDirectory, Environment.ProcessId);
        return server;
    }

    /// <summary>Begins to answer.</summary>
    public void Open()
    {
        if (_options.AllowAnonymous)
        {
            _log.AnonymousAllowed();
        }

        _life.Open();
    }

    /// <summary>Notes that this process became another user after it began to listen.</summary>
    public void NoteUser(int user) => _log.ServerBecameUser(user);

    /// <summary>
    /// Begins nothing new, lets what is in progress end within the drain time (or until <paramref name="hurry"/> is cancelled), then ends the engine
    /// while its streams are still open: runs that are left end as killed, and their streams carry that to whoever waits for it.
    /// </summary>
    public async Task DrainAsync(string reason, CancellationToken hurry)
    {
        var drained = _life.DrainAsync(); // before it is said: whoever reads it finds it so
        _log.ServerDrains(reason, _options.DrainTime.TotalSeconds);
        using var limit = new CancellationTokenSource(_options.DrainTime, _parts.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, hurry);
        try
        {
            await drained.WaitAsync(either.Token);
            while (_parts.Census().Runs > 0)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), _parts.Time, either.Token);
            }
        }
        catch (OperationCanceledException)
        {
            _log.DrainTimeIsOver(_life.Requests, _parts.Census().Runs);
        }

        await _parts.Cove.DisposeAsync();
        _log.ServerStopped();
    }

    public async ValueTask DisposeAsync()
    {
        _life.GiveUp();
        using var flushed = new CancellationTokenSource(FlushTime, _parts.Time);
        try
        {
            await _app.StopAsync(flushed.Token);
        }
        catch (OperationCanceledException)
        {
            // What is still open is closed with the process.
        }

        await _app.DisposeAsync();
    }

    private static void AddServices(IServiceCollection services, ServerParts parts, ServerOptions options, ServerLife life)
    {
        services.AddRoutingCore();
        services.AddSingleton(parts.Loggers);
        services.AddSingleton(parts.Time);
        services.AddSingleton(new DoorOptions { Hosts = options.AcceptedHosts });
        services.AddSingleton<Door>();
        services.AddSingleton(life);
        services.AddSingleton(_ => new Correlation(parts.Version));
        services.AddSingleton<ServerMeter>();
        services.AddSingleton<RequestLog>();
        services.AddSingleton(provider => new Prometheus(provider.GetRequiredService<ServerMeter>(), parts.Cove));
        services.AddSingleton(provider => new HealthPages(new HealthReport(parts, life, options.DataDirectory), provider.GetRequiredService<Prometheus>(), options.IsLoopbackOnly));
        services.AddSingleton<TraceIds>();
        services.AddMcp(parts);
        parts.AddAccess?.Invoke(services);
    }

    private static void Compose(WebApplication app, ServerParts parts, ServerOptions options, ServerLife life)
    {
        app.Services.GetRequiredService<TraceIds>();
        app.Services.GetRequiredService<Connections>(); // so that it is disposed of with the app
        app.Services.GetRequiredService<McpFrontend>(); // so that a tool that can't be offered is said now
        var correlation = app.Services.GetRequiredService<Correlation>();
        var requests = app.Services.GetRequiredService<RequestLog>();
        var door = app.Services.GetRequiredService<Door>();
        var pages = app.Services.GetRequiredService<HealthPages>();
        app.Use(next => context => life.Opened.IsCompletedSuccessfully ? next(context) : WaitAsync(life, context, next));
        app.Use(next => context =>
        {
            if (life.Draining)
            {
                // The caller's next request goes to a server that stays.
                context.Response.OnStarting(static state =>
                {
                    ((HttpResponse)state).Headers.Connection = "close";
                    return Task.CompletedTask;
                }, context.Response);
            }

            return next(context);
        });
        app.Use(next => context => correlation.InvokeAsync(context, next));
        app.Use(next => context => requests.InvokeAsync(context, next));
        app.Use(next => context => door.InvokeAsync(context, next));
        app.Use(next => context => pages.InvokeAsync(context, next));
        app.UseRouting();
        app.UseWebSockets();
        UseAccess(app, parts, options);
        var routes = new Routes(app, life);
        pages.Map(routes);
        // The description is read without a key: what this installation was given to declare is told there only to its own machine.
        routes.MapAll(parts.Tools, options.IsLoopbackOnly ? parts.Tools : ServerTools.None);
        parts.MapMore?.Invoke(routes);
    }

    /// <summary>What other machines reach needs keys.</summary>
    public static void RequireLoopback(ServerOptions options)
    {
        if (options.Urls.FirstOrDefault(url => !url.IsLoopback) is { } open)
        {
            throw Problems.Bad("no_keys", $"{open} can be reached from other machines, which needs keys, and this server has no access control.", "Listen on loopback only (urls = http://127.0.0.1:8787).");
        }
    }

    /// <summary>Without access control everybody is the owner, which only a loopback that was opened to all may be.</summary>
    private static void UseAccess(WebApplication app, ServerParts parts, ServerOptions options)
    {
        if (parts.UseAccess is { } use)
        {
            use(app);
            return;
        }

        RequireLoopback(options);
        var owner = new Caller { Project = "owner", Scopes = Scopes.All, Time = parts.Time, Cove = parts.Cove };
        var pace = ReadingPace.OfCallers(options.ReadTime);
        app.Use(next => context =>
        {
            ReadingPace.Set(context, pace);
            Connections.TryKeep(context, owner.Project);
            context.Features.Set(owner);
            return next(context);
        });
    }

    private static async Task WaitAsync(ServerLife life, HttpContext context, RequestDelegate next)
    {
        await life.Opened.WaitAsync(context.RequestAborted);
        await next(context);
    }

    private static X509Certificate2 Certificate(string certificate, string key)
    {
        try
        {
            return X509Certificate2.CreateFromPemFile(certificate, key);
        }
        catch (Exception failure) when (failure is System.Security.Cryptography.CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new CoveException(Problems.Request("invalid_option", $"tls_cert ({certificate}) and tls_key ({key}) can't be used: {failure.Message}", "Give a PEM certificate and its PEM key, not encrypted, that this user can read."), failure);
        }
    }
}
