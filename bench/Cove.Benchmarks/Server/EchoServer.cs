using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Hosting;

namespace Cove.Benchmarks.Server;

/// <summary>The least an HTTP answer can cost: a bare Kestrel that reads the request's body and answers a fixed one. It runs as a process of its own, as the server does.</summary>
internal static class EchoServer
{
    /// <summary>About as long as the answer to <c>1+1</c>.</summary>
    private static readonly byte[] _answer = [.. Enumerable.Repeat((byte)'x', 480)];

    public static async Task RunAsync(int port, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.ListenLocalhost(port);
        });
        await using var app = builder.Build();
        app.Run(async context =>
        {
            await context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted);
            context.Response.ContentType = "application/json";
            context.Response.ContentLength = _answer.Length;
            await context.Response.Body.WriteAsync(_answer, context.RequestAborted);
        });
        await app.StartAsync(cancellationToken);
        await app.WaitForShutdownAsync(cancellationToken); // a signal: the host heeds those of its own accord
    }
}
