using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Cove.Tests.Support;

/// <summary>A server of the Messages API that answers byte for byte what the test wants and keeps what was sent.</summary>
internal sealed class FakeMessagesApi : IAsyncDisposable
{
    private readonly WebApplication _app;

    private FakeMessagesApi(WebApplication app) => _app = app;

    public Uri Address => new(_app.Urls.Single());

    public ConcurrentQueue<(string Path, IReadOnlyDictionary<string, string> Headers, string Body)> Received { get; } = new();

    /// <summary>What each request is answered with, in order; the last one again and again.</summary>
    public Queue<Func<HttpContext, Task>> Answers { get; } = new();

    public static async Task<FakeMessagesApi> StartAsync(params IReadOnlyList<Func<HttpContext, Task>> answers)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var api = new FakeMessagesApi(app);
        foreach (var answer in answers)
        {
            api.Answers.Enqueue(answer);
        }

        app.Use((HttpContext context, RequestDelegate _) => api.AnswerAsync(context));
        await app.StartAsync();
        return api;
    }

    /// <summary>An answer in events, one JSON object each; <c>type</c> names the event.</summary>
    public static Func<HttpContext, Task> Stream(params IReadOnlyList<string> events) => async context =>
    {
        context.Response.ContentType = "text/event-stream";
        foreach (var json in events)
        {
            var type = System.Text.Json.JsonDocument.Parse(json).RootElement.GetProperty("type").GetString();
            await context.Response.WriteAsync($"event: {type}\ndata: {json}\n\n");
        }
    };

    /// <summary>The same, then the connection breaks.</summary>
    public static Func<HttpContext, Task> Broken(params IReadOnlyList<string> events) => async context =>
    {
        await Stream(events)(context);
        await context.Response.Body.FlushAsync();
        context.Abort();
    };

    public static Func<HttpContext, Task> Error(int status, string body, params IReadOnlyList<(string Name, string Value)> headers) => async context =>
    {
        context.Response.StatusCode = status;
        foreach (var (name, value) in headers)
        {
            context.Response.Headers[name] = value;
        }

        await context.Response.WriteAsync(body);
    };

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
        var body = await reader.ReadToEndAsync();
        Received.Enqueue((context.Request.Path, context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase), body));
        await (Answers.Count > 1 ? Answers.Dequeue() : Answers.Peek())(context);
    }
}
