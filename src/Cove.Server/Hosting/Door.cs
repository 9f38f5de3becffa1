using Cove.Server.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Cove.Server.Hosting;

/// <summary>
/// What every request passes before it reaches a front-end: known host, no foreign origin, same build; and the one place where exceptions become problems.
/// A web page can make a browser send requests to whatever listens locally, so who connects is not enough to know who asks.
/// </summary>
internal sealed class Door(DoorOptions options, ILogger<Door> log)
{
    private readonly HostNames _hosts = new(options.Hosts);

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        Guard(context.Response);
        try
        {
            if (Refusal(context.Request) is var (error, status))
            {
                await Problems.WriteAsync(context, error, status);
                return;
            }

            await next(context);
            if (context.Response is { HasStarted: false, StatusCode: StatusCodes.Status404NotFound or StatusCodes.Status405MethodNotAllowed, ContentLength: null })
            {
                await Problems.WriteAsync(context, NoRoute(context.Request), context.Response.StatusCode);
            }
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The caller hung up; nobody is left to answer.
        }
        catch (Exception failure)
        {
            await AnswerAsync(context, failure);
        }
    }

    private (RunError Error, int Status)? Refusal(HttpRequest request)
    {
        if (!_hosts.Contain(request.Host.Host))
        {
            return (Problems.Request("unknown_host", "The Host header names no host of this server.", $"Use one of: {_hosts}. Whoever runs the server adds others with --hosts or COVE_HOSTS."), StatusCodes.Status421MisdirectedRequest);
        }

        if (request.HttpContext.Features.Get<IHttpRequestFeature>() is { RawTarget: { } target } && Climbs(target))
        {
            return (Problems.Request("path_climbs", "The path has a segment '.' or '..', which would make it another path.", "Send the path that is meant; a name that is made of dots alone is no id."), StatusCodes.Status400BadRequest);
        }

        if (IsForeign(request))
        {
            return (Problems.Request("foreign_origin", "Requests made by web pages of others are refused.", "Call from a program, or from this server's own page /docs."), StatusCodes.Status403Forbidden);
        }

        // Asking what runs here, and asking it to stop, must work across builds: that is how an old engine is replaced.
        if (options.Build is { } build && request.Headers["X-Cove-Build"] is [{ } client] && client != build && !request.Path.StartsWithSegments("/v1/engine", StringComparison.Ordinal))
        {
            return (Problems.OtherBuild(build, client), StatusCodes.Status409Conflict);
        }

        return null;
    }

    /// <summary>
    /// Such segments are resolved before routing, escaped or not: of a kernel named '..' the deletion would be that of its sandbox, and a proxy that
    /// judges paths would have judged another one.
    /// </summary>
    private static bool Climbs(ReadOnlySpan<char> target)
    {
        var end = target.IndexOf('?');
        var path = end < 0 ? target : target[..end];
        foreach (var range in path.Split('/'))
        {
            if (IsDots(path[range]))
            {
                return true;
            }
        }

        return false;
    }

    private static bool IsDots(ReadOnlySpan<char> segment)
    {
        var left = segment;
        while (left.Length > 0)
        {
            var length = left[0] == '.' ? 1 : left.StartsWith("%2e", StringComparison.OrdinalIgnoreCase) ? 3 : 0;
            if (length == 0)
            {
                return false;
            }

            left = left[length..];
        }

        return segment.Length > 0;
    }

    /// <summary>The only pages that may ask are this server's own; its host is a known one, so that a name made to point here is none of them.</summary>
    private static bool IsForeign(HttpRequest request) =>
        (request.Headers.Origin.Count > 0 && !(request.Headers.Origin is [{ } origin] && origin.Equals($"{request.Scheme}://{request.Host.Value}", StringComparison.OrdinalIgnoreCase)))
        || request.Headers["Sec-Fetch-Site"] is { Count: > 0 } and not (["none"] or ["same-origin"]);

    private async Task AnswerAsync(HttpContext context, Exception failure)
    {
        var (error, status) = failure switch
        {
            CoveException known => (known.Error, Problems.StatusOf(known.Error)),
            BadHttpRequestException bad => (Problems.Request("bad_request", bad.Message, Remedy(bad.StatusCode)), bad.StatusCode),
            _ => (Problems.Internal(), StatusCodes.Status500InternalServerError),
        };
        if (status == StatusCodes.Status500InternalServerError)
        {
            log.RequestFailed(failure, RequestLog.Method(context), RequestLog.Route(context));
        }

        if (context.Response.HasStarted)
        {
            // The status is already out: only a broken connection still says that the answer is not whole.
            context.Abort();
            return;
        }

        context.Response.Clear();
        Guard(context.Response);
        await Problems.WriteAsync(context, error, status);
    }

    private static string Remedy(int status) => status switch
    {
        StatusCodes.Status415UnsupportedMediaType => "Send the header 'Content-Type: application/json'.",
        StatusCodes.Status413PayloadTooLarge => "Send less at once; files go to /v1/sandboxes/{sandbox}/files/content, which takes as much as the sandbox's disk.",
        StatusCodes.Status406NotAcceptable => "Send one of them as Accept, or leave the header out.",
        StatusCodes.Status408RequestTimeout => "Send the body faster, or in smaller requests.",
        _ => "Correct the request.",
    };

    /// <summary>Nothing a guest made shall be taken by a browser for a page or a script of this server's.</summary>
    private static void Guard(HttpResponse response) => response.Headers.XContentTypeOptions = "nosniff";

    private static RunError NoRoute(HttpRequest request) =>
        Problems.Request("no_such_route", $"There is no {request.Method} {request.Path}.", "Check the path and the method.") with { Category = ErrorCategory.NotFound };
}

/// <summary>Whom the door lets in.</summary>
internal sealed record DoorOptions
{
    /// <summary>The host names that requests may carry. Default: what the client uses on a Unix socket.</summary>
    public IReadOnlyCollection<string> Hosts { get; init; } = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "cove", "localhost" };

    /// <summary>The build that a client's <c>X-Cove-Build</c> must name when it is sent; null accepts any.</summary>
    public string? Build { get; init; }
}
