using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Cove.Tests.Support;

/// <summary>Somebody else's HTTP API on loopback: remembers what it was asked, byte for byte, and answers as a test wants.</summary>
internal sealed class FakeApi : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<FakeApiRequest> _requests = new();

    private int _ended;

    private FakeApi(WebApplication app) => (_app, Address) = (app, "");

    public IReadOnlyList<FakeApiRequest> Requests => [.. _requests];

    public string Address { get; private set; }

    public string Host => new Uri(Address).Authority;

    /// <summary>What it does with a request. Default: 200 and an empty object.</summary>
    public Func<FakeApiRequest, HttpContext, Task> Answer { get; set; } = (_, context) => Json(context, 200, "{}");

    public static async Task<FakeApi> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        var api = new FakeApi(app);
        app.Run(api.ServeAsync);
        await app.StartAsync();
        api.Address = app.Urls.Single();
        return api;
    }

    public static async Task Json(HttpContext context, int status, string body, params (string Name, string Value)[] headers)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        foreach (var (name, value) in headers)
        {
            context.Response.Headers[name] = value;
        }

        await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes(body));
    }

    /// <summary>Answers as it was told to, one after the other; the last one again and again.</summary>
    public void Answers(params (int Status, string Body, (string, string)[] Headers)[] answers)
    {
        var next = -1;
        Answer = (_, context) =>
        {
            var answer = answers[Math.Min(Interlocked.Increment(ref next), answers.Length - 1)];
            return Json(context, answer.Status, answer.Body, answer.Headers);
        };
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _ended, 1) == 1)
        {
            return;
        }

        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
    }

    private async Task ServeAsync(HttpContext context)
    {
        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body);
        var headers = context.Request.Headers.ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        var request = new FakeApiRequest(context.Request.Method, context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget, headers, Encoding.UTF8.GetString(body.ToArray()));
        _requests.Enqueue(request);
        await Answer(request, context);
    }
}

/// <summary>What it was asked. The target is as it was sent.</summary>
internal sealed record FakeApiRequest(string Method, string Target, IReadOnlyDictionary<string, string> Headers, string Body);
