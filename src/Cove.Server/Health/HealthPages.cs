using Cove.Server.Hosting;
using Cove.Server.Telemetry;
using Microsoft.AspNetCore.Http;

namespace Cove.Server.Health;

/// <summary>
/// The pages that machines look at: <c>/health</c>, <c>/healthz</c>, <c>/readyz</c> and <c>/metrics</c>. The bare ones say a word to anybody; details and
/// metrics are open to this machine alone, and only when the server listens on loopback: elsewhere they need a key that may read.
/// </summary>
internal sealed class HealthPages(HealthReport report, Prometheus metrics, bool isLoopbackOnly)
{
    private static readonly string[] _forwarded = ["Forwarded", "Via", "X-Real-IP", "CF-Connecting-IP", "True-Client-IP"];
    private static readonly Parameter _verbose = new("verbose", "Whether details are shown, as JSON. Default false.", "boolean");

    /// <summary>Answers what needs no key, before anybody is asked for one.</summary>
    public Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var path = context.Request.Path.Value;
        if (path is not ("/health" or "/healthz" or "/readyz" or "/metrics") || !(HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method)))
        {
            return next(context);
        }

        if (path != "/readyz" && (path == "/metrics" || IsVerbose(context)) && !IsOpenTo(context))
        {
            return next(context);
        }

        RequestLog.SetRoute(context, path);
        return path switch
        {
            "/readyz" => WriteReadinessAsync(context),
            "/metrics" => metrics.WriteAsync(context),
            _ => WriteHealthAsync(context),
        };
    }

    /// <summary>The same pages for callers with a key.</summary>
    public void Map(Routes routes)
    {
        routes.Get("/health", new Operation("health", "Whether the server lives; with verbose what it says of itself.") { Needs = Scopes.Read, Query = [_verbose], AnswerTypes = ["text/plain", "application/json"] }, WriteHealthAsync);
        routes.Get("/healthz", new Operation("healthz", "The same as /health.") { Needs = Scopes.Read, Query = [_verbose], AnswerTypes = ["text/plain", "application/json"] }, WriteHealthAsync);
        routes.Get("/readyz", new Operation("ready", "Whether the server takes new work; 503 and the reason when it does not.") { Needs = Scopes.None, AnswerTypes = ["text/plain"] }, WriteReadinessAsync);
        routes.Get("/metrics", new Operation("metrics", "Metrics in Prometheus' text format 0.0.4.") { Needs = Scopes.Read, AnswerTypes = ["text/plain"] }, metrics.WriteAsync);
    }

    private async Task WriteHealthAsync(HttpContext context)
    {
        if (IsVerbose(context))
        {
            await WriteAsync(context, StatusCodes.Status200OK, "application/json", await report.ToJsonAsync(context.RequestAborted));
        }
        else
        {
            await WriteAsync(context, StatusCodes.Status200OK, "text/plain; charset=utf-8", "ok"u8.ToArray());
        }
    }

    private async Task WriteReadinessAsync(HttpContext context)
    {
        var reason = await report.WhyNotReadyAsync(context.RequestAborted);
        await WriteAsync(
            context,
            reason is null ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable,
            "text/plain; charset=utf-8",
            System.Text.Encoding.UTF8.GetBytes(reason ?? "ready"));
    }

    private static async Task WriteAsync(HttpContext context, int status, string type, byte[] body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        context.Response.ContentLength = body.Length;
        context.Response.Headers.CacheControl = "no-store";
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await context.Response.Body.WriteAsync(body, context.RequestAborted);
        }
    }

    private static bool IsVerbose(HttpContext context) => context.Request.Query["verbose"] is ["true"];

    /// <summary>A proxy on this machine connects from loopback too; what it passes on is not this machine's own question.</summary>
    private bool IsOpenTo(HttpContext context) =>
        isLoopbackOnly
        && context.Connection.RemoteIpAddress is { } remote && System.Net.IPAddress.IsLoopback(remote)
        && !_forwarded.Any(context.Request.Headers.ContainsKey)
        && !context.Request.Headers.Keys.Any(static name => name.StartsWith("X-Forwarded-", StringComparison.OrdinalIgnoreCase));
}
