using Cove.Server.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Cove.Server.Telemetry;

/// <summary>
/// Counts, times and logs every request. It names the route's pattern, never the path, the query or a header: what a caller chose freely may hold a
/// secret, and would make a series of its own for every value.
/// </summary>
internal sealed class RequestLog(ServerMeter meter, TimeProvider time, ILogger<RequestLog> log)
{
    private const string NoRoute = "none";
    private const string RouteItem = "cove.route";

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        var started = time.GetTimestamp();
        meter.RequestStarted();
        try
        {
            await next(context);
        }
        finally
        {
            var duration = time.GetElapsedTime(started);
            var (method, route, status) = (Method(context), Route(context), context.RequestAborted.IsCancellationRequested && !context.Response.HasStarted ? 499 : context.Response.StatusCode);
            meter.RequestEnded(method, route, status, duration);
            log.Answered(LevelOf(route, status), method, route, status, duration.TotalMilliseconds);
        }
    }

    /// <summary>The pattern of the route that answered; <c>none</c> when none did.</summary>
    public static string Route(HttpContext context) =>
        (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText
        ?? (context.Items.TryGetValue(RouteItem, out var named) ? (string)named! : NoRoute);

    /// <summary>Names the route of what is answered without routing.</summary>
    public static void SetRoute(HttpContext context, string route) => context.Items[RouteItem] = route;

    /// <summary>The method; <c>other</c> for what a caller invented.</summary>
    public static string Method(HttpContext context) => context.Request.Method switch
    {
        "GET" or "HEAD" or "POST" or "PUT" or "PATCH" or "DELETE" or "OPTIONS" => context.Request.Method,
        _ => "other",
    };

    // Probes come every few seconds and say nothing as long as they succeed.
    private static LogLevel LevelOf(string route, int status) => status >= 500 && status != StatusCodes.Status503ServiceUnavailable ? LogLevel.Error
        : route is "/health" or "/healthz" or "/readyz" or "/metrics" && status < 400 ? LogLevel.Debug
        : LogLevel.Information;
}
