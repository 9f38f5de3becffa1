using Cove.Server.Frontends.Native;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cove.Server.Hosting;

/// <summary>Kestrel on a Unix socket in front of an engine, for as long as the engine is wanted.</summary>
internal sealed class EngineHost : IAsyncDisposable
{
    /// <summary>How long open requests may take to end once the engine stops; their runs are being killed.</summary>
    private static readonly TimeSpan DrainTime = TimeSpan.FromSeconds(2);

    private readonly WebApplication _app;
    private readonly EngineLife _life;
    private readonly EngineHostOptions _options;
    private readonly ILogger _log;
    private bool _unlinked;

    private EngineHost(WebApplication app, EngineLife life, EngineHostOptions options)
    {
        (_app, _life, _options) = (app, life, options);
        _log = app.Services.GetRequiredService<ILoggerFactory>().CreateLogger<EngineHost>();
    }

    /// <summary>Listens; returns when the first request can be answered.</summary>
    public static async Task<EngineHost> StartAsync(ICove cove, EngineHostOptions options, CancellationToken cancellationToken = default)
    {
        // The empty builder: no settings file from the working directory, no ASPNETCORE_ variables, no signal handlers of its own.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(new DoorOptions { Build = options.Build });
        builder.Services.AddSingleton<Door>();
        if (options.Log is { } log)
        {
            builder.Services.AddSingleton(log);
        }

        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel => Configure(kestrel, options));

        var app = builder.Build();
        var life = new EngineLife(cove, options);
        var door = app.Services.GetRequiredService<Door>();
        app.Use(next => context => door.InvokeAsync(context, next));
        app.UseRouting();

        // Who reached this socket is this user, or root: the kernel says so.
        var owner = new Caller { Project = "owner", Scopes = Scopes.All, Cove = cove };
        app.Use(next => context =>
        {
            context.Features.Set(owner);
            return next(context);
        });
        new Routes(app, life).MapNative();
        NativeEngine.Map(app, life);
        File.Delete(options.SocketPath);
        var host = new EngineHost(app, life, options);
        try
        {
            await app.StartAsync(cancellationToken);
            File.SetUnixFileMode(options.SocketPath, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }

        host._log.Listening(options.SocketPath, options.Build, Environment.ProcessId);
        return host;
    }

    /// <summary>Serves until it is asked to stop, has been idle for too long, or the token is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken = default)
    {
        using var watching = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watch = _life.WatchAsync(watching.Token);
        try
        {
            var ended = await Task.WhenAny(_life.End, watch);
            await ended;
            _log.Ending(_life.End.IsCompletedSuccessfully ? await _life.End : "watch ended");
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            _log.Ending("signal");
        }
        finally
        {
            await watching.CancelAsync();
        }
    }

    /// <summary>
    /// Ends the engine while its requests are still served: runs in progress end as killed, and their streams carry that to whoever waits for it.
    /// The other way round they would only see their connection cut.
    /// </summary>
    public async Task EndAsync(IAsyncDisposable engine)
    {
        Leave();
        await engine.DisposeAsync();
    }

    /// <summary>Notes that this process became another user after it began to listen.</summary>
    public void NoteUser(int user) => _log.BecameUser(user);

    public async ValueTask DisposeAsync()
    {
        Leave();
        using var drained = new CancellationTokenSource(DrainTime, _options.Time);
        try
        {
            await _app.StopAsync(drained.Token);
        }
        catch (OperationCanceledException)
        {
            // What is still open is closed with the process.
        }

        await _app.DisposeAsync();
        _life.Dispose();
    }

    /// <summary>First the name, so that the next client starts a new engine instead of finding one that is leaving; who has found it already is refused.</summary>
    private void Leave()
    {
        _life.StopNow();
        if (!_unlinked)
        {
            _unlinked = true;
            Unlink(_options.SocketPath);
        }
    }

    private static void Unlink(string socketPath)
    {
        try
        {
            File.Delete(socketPath);
        }
        catch (UnauthorizedAccessException)
        {
            // An engine that gave up root leaves the name; nobody answers at it, and the next engine or `cove engine stop` removes it.
        }
    }

    private static void Configure(KestrelServerOptions kestrel, EngineHostOptions options)
    {
        kestrel.AddServerHeader = false;

        // The only callers are this user's own processes: a terminal that is paused must not end its run, and a big file must fit.
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MinResponseDataRate = null;
        kestrel.Limits.MaxRequestBodySize = NativeWire.MaximumJsonBytes;
        kestrel.ListenUnixSocket(options.SocketPath, listen =>
        {
            listen.Protocols = HttpProtocols.Http1;
            var peers = new PeerCheck(options.OwnUser, listen.ApplicationServices.GetRequiredService<ILoggerFactory>().CreateLogger<PeerCheck>());
            listen.Use(peers.Guard);
        });
    }
}
