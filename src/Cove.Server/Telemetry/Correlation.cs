using System.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace Cove.Server.Telemetry;

/// <summary>
/// Gives every request the id under which its caller, the log, the trace and the journal can be brought together: the caller's <c>X-Correlation-Id</c>
/// when it is one, else a new one; and its place in the caller's trace (W3C <c>traceparent</c>). Both are in the answer.
/// </summary>
internal sealed class Correlation(string version) : IDisposable
{
    public const string Header = "X-Correlation-Id";
    public const string SourceName = "Cove.Server";
    private const string TraceParent = "traceparent";
    private const int MaximumLength = 128;
    private const int MaximumTraceState = 512;

    private static readonly AsyncLocal<string?> _current = new();

    // Its own, and no service: the web server would take it for that of its own span of each request.
    private readonly ActivitySource _source = new(SourceName, version);

    /// <summary>The id of the request that this flow of execution belongs to; null outside of requests.</summary>
    public static string? Current => _current.Value;

    public static bool IsAcceptable(string id) => id.Length is >= 1 and <= MaximumLength && id.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        using var activity = _source.StartActivity("HTTP request", ActivityKind.Server, Parent(context.Request));
        var id = context.Request.Headers[Header] is [{ } given] && IsAcceptable(given) ? given : activity?.TraceId.ToHexString() ?? ActivityTraceId.CreateRandom().ToHexString();
        _current.Value = id;
        context.Features.Set(new CorrelationId(id));
        if (activity is { IsAllDataRequested: true })
        {
            activity.SetTag("cove.correlation_id", id);
        }

        context.Response.OnStarting(static state =>
        {
            var (answer, id, trace) = ((HttpResponse, string, string?))state;
            answer.Headers[Header] = id;
            if (trace is not null)
            {
                answer.Headers[TraceParent] = trace;
            }

            return Task.CompletedTask;
        }, (context.Response, id, activity?.Id));
        await next(context);
        Finish(activity, context);
    }

    public void Dispose() => _source.Dispose();

    /// <summary>The caller's place in its trace; a new trace when it names none, or none that could be right.</summary>
    private static ActivityContext Parent(HttpRequest request) =>
        request.Headers[TraceParent] is [{ Length: 55 } parent]
        && ActivityContext.TryParse(parent, request.Headers["tracestate"] is [{ Length: <= MaximumTraceState } state] ? state : null, isRemote: true, out var context)
            ? context
            : default;

    private static void Finish(Activity? activity, HttpContext context)
    {
        if (activity is not { IsAllDataRequested: true })
        {
            return;
        }

        var route = RequestLog.Route(context);
        var status = context.Response.StatusCode;
        activity.DisplayName = RequestLog.Method(context) + " " + route;
        activity.SetTag("http.request.method", RequestLog.Method(context));
        activity.SetTag("http.route", route);
        activity.SetTag("http.response.status_code", status);
        activity.SetStatus(status >= 500 ? ActivityStatusCode.Error : ActivityStatusCode.Unset);
    }
}

/// <summary>The id of a request, as its front-end passes it on.</summary>
/// <param name="Value">1 to 128 characters of <c>A-Za-z0-9._-</c>.</param>
internal sealed record CorrelationId(string Value);

internal static class CorrelationExtensions
{
    /// <summary>The request's correlation id; null where there is none, as on the warm engine's socket.</summary>
    public static string? CorrelationId(this HttpContext context) => context.Features.Get<CorrelationId>()?.Value;
}
