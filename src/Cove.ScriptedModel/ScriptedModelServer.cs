using System.Net;
using Cove.ScriptedModel.Scripts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;

namespace Cove.ScriptedModel;

/// <summary>
/// A model that says what a script says, over Anthropic's Messages API, at a port of 127.0.0.1 of its own. It takes any key, refuses what the real API
/// refuses, and fails where the script wants it to. docs/scripted-model.md describes the scripts.
/// </summary>
public sealed class ScriptedModelServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly Serving.Endpoint _endpoint;

    private ScriptedModelServer(WebApplication app, Serving.Endpoint endpoint, string address) => (_app, _endpoint, BaseUrl) = (app, endpoint, address);

    /// <summary>What a client takes for the API's address: <c>http://127.0.0.1:PORT</c>, without a slash at its end.</summary>
    public string BaseUrl { get; }

    /// <summary>The requests that came, in their order.</summary>
    public IReadOnlyList<ReceivedRequest> Requests => _endpoint.Requests;

    /// <summary>Where the script did not fit what came; each was answered with status 400 and this as its message.</summary>
    public IReadOnlyList<ScriptException> Problems => _endpoint.Problems;

    /// <summary>Reads a script and listens.</summary>
    /// <param name="path">The script's file.</param>
    /// <param name="time">The clock of delays and paces.</param>
    /// <param name="cancellationToken">Gives the start up.</param>
    /// <exception cref="ScriptException">The script can't be read; it says where and what to do.</exception>
    public static async Task<ScriptedModelServer> StartAsync(string path, TimeProvider time, CancellationToken cancellationToken = default) =>
        await StartAsync(await ScriptReader.ReadFileAsync(path, cancellationToken), time, cancellationToken);

    /// <summary>Takes a script's text and listens.</summary>
    /// <param name="text">The script.</param>
    /// <param name="time">The clock of delays and paces.</param>
    /// <param name="name">What errors call the script.</param>
    /// <param name="cancellationToken">Gives the start up.</param>
    /// <exception cref="ScriptException">The script can't be read; it says where and what to do.</exception>
    public static Task<ScriptedModelServer> StartTextAsync(string text, TimeProvider time, string name = "script", CancellationToken cancellationToken = default) =>
        StartAsync(ScriptReader.Read(text, name), time, cancellationToken);

    /// <summary>Ends what is in progress and listens no more.</summary>
    public async ValueTask DisposeAsync()
    {
        // A stream that is slow or hangs on purpose is not waited for.
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        try
        {
            await _app.StopAsync(now.Token);
        }
        catch (OperationCanceledException)
        {
            // What was open is closed with the server.
        }

        await _app.DisposeAsync();
    }

    private static async Task<ScriptedModelServer> StartAsync(Script script, TimeProvider time, CancellationToken cancellationToken)
    {
        // The empty builder: no settings file from the working directory, no variables, no signal handlers.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null; // bounded where it is read, so that the refusal has the API's form
            kestrel.Listen(IPAddress.Loopback, 0);
        });
        var app = builder.Build();
        var endpoint = new Serving.Endpoint(script, time);
        app.Use(_ => endpoint.AnswerAsync);
        try
        {
            await app.StartAsync(cancellationToken);
            return new ScriptedModelServer(app, endpoint, app.Urls.Single().TrimEnd('/'));
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }
}
