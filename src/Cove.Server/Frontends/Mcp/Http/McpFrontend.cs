using Cove.Server.Bounds;
using Cove.Server.Hosting;
using Cove.Server.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Cove.Server.Frontends.Mcp.Http;

/// <summary>Makes the options of a server of what is offered: tools, resources, prompts.</summary>
internal delegate McpServerOptions McpCatalog();

/// <summary>
/// The Streamable HTTP transport. A request of the revision 2026-07-28 stands for itself and has a server of its own for as long as it is
/// answered; older ones come after <c>initialize</c>, in a session. What is offered is the catalog's business.
/// </summary>
internal sealed class McpFrontend(McpCatalog catalog, McpSessions sessions, ILoggerFactory loggers) : IAsyncDisposable
{
    /// <summary>Answers a message.</summary>
    public async Task PostAsync(HttpContext context)
    {
        var (post, refusal) = await McpPost.ReadAsync(context);
        if (post is not null)
        {
            Caller(context).Stamp(post.Message);
            refusal = post.Stateless ? await ServeAloneAsync(context, post.Message) : await ServeInSessionAsync(context, post.Message);
        }

        if (refusal is not null)
        {
            await refusal.WriteAsync(context);
        }
    }

    /// <summary>Ends a session.</summary>
    public async Task DeleteAsync(HttpContext context)
    {
        if (await sessions.EndAsync(context.Request.Headers[McpHeaders.Session].ToString(), Owner(context)))
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }

        await McpRefusal.SessionUnknown.WriteAsync(context);
    }

    public ValueTask DisposeAsync() => sessions.DisposeAsync();

    private async Task<McpRefusal?> ServeAloneAsync(HttpContext context, JsonRpcMessage message)
    {
        await using var transport = new StreamableHttpServerTransport(loggers) { Stateless = true };
        var options = catalog();
        options.ScopeRequests = false;
        await using var server = McpServer.Create(transport, options, loggers);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        var running = server.RunAsync(ended.Token);
        try
        {
            await AnswerAsync(context, answer => transport.HandlePostRequestAsync(message, answer, first => Status(context.Response, first), context.RequestAborted));
        }
        finally
        {
            // Whoever hangs up has cancelled what was in progress.
            await ended.CancelAsync();
            await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        return null;
    }

    private async Task<McpRefusal?> ServeInSessionAsync(HttpContext context, JsonRpcMessage message)
    {
        var id = (message as JsonRpcRequest)?.Id ?? default;
        var named = context.Request.Headers[McpHeaders.Session].ToString();
        if (named.Length == 0 && message is not JsonRpcRequest { Method: RequestMethods.Initialize })
        {
            return McpRefusal.SessionNeeded with { Id = id };
        }

        if ((named.Length == 0 ? sessions.Begin(Owner(context), Make) : sessions.Find(named, Owner(context))) is not { } session)
        {
            return (named.Length == 0 ? McpRefusal.TooManySessions : McpRefusal.SessionUnknown) with { Id = id };
        }

        if (!session.TryEnter())
        {
            return McpRefusal.SessionUnknown with { Id = id };
        }

        context.Response.Headers[McpHeaders.Session] = session.Id;
        try
        {
            await AnswerAsync(context, answer => session.PostAsync(message, answer, context.RequestAborted));
            return null;
        }
        catch (Exception failure) when (failure is not CoveException && session.HasEnded && !context.RequestAborted.IsCancellationRequested)
        {
            // Its caller, or the server's end, ended the session under it.
            return Cut(context.Response) is { } cut ? cut with { Id = id } : null;
        }
    }

    /// <summary>What is told where a session ended meanwhile; of an answer that has begun only a broken connection still says that it is not whole.</summary>
    private static McpRefusal? Cut(HttpResponse response)
    {
        if (response.HasStarted)
        {
            response.HttpContext.Abort();
            return null;
        }

        response.Clear();
        return McpRefusal.SessionUnknown;
    }

    private (StreamableHttpServerTransport Transport, McpServer Server) Make(string id)
    {
        var transport = new StreamableHttpServerTransport(loggers) { SessionId = id };
        return (transport, McpServer.Create(transport, catalog(), loggers));
    }

    private static async Task AnswerAsync(HttpContext context, Func<Stream, Task<bool>> answer)
    {
        var response = context.Response;
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-cache,no-store";
        response.Headers["X-Accel-Buffering"] = "no";
        context.Features.GetRequiredFeature<IHttpResponseBodyFeature>().DisableBuffering();
        await using var body = new HeldStream(context);
        if (!await answer(body) && !response.HasStarted)
        {
            response.ContentType = null;
            response.StatusCode = StatusCodes.Status202Accepted;
        }
    }

    /// <summary>Some errors have a status of their own, which must be chosen before the first byte.</summary>
    private static ValueTask Status(HttpResponse response, JsonRpcMessage? first)
    {
        if (first is JsonRpcError error && !response.HasStarted)
        {
            response.StatusCode = (McpErrorCode)error.Error.Code switch
            {
                McpErrorCode.MethodNotFound => StatusCodes.Status404NotFound,
                McpErrorCode.MissingRequiredClientCapability or McpErrorCode.UnsupportedProtocolVersion or McpErrorCode.HeaderMismatch => StatusCodes.Status400BadRequest,
                _ => response.StatusCode,
            };
        }

        return ValueTask.CompletedTask;
    }

    private static SessionOwner Owner(HttpContext context) => new(context.Caller().Project, context.Caller().Key);

    private static McpCaller Caller(HttpContext context)
    {
        var (caller, did) = (context.Caller(), new TurnedOut());
        context.Features.Set(did);
        return new McpCaller
        {
            Cove = caller.Cove,
            Scopes = caller.Scopes,
            CorrelationId = context.CorrelationId(),
            Does = did.Note,
            Fails = did.Refuse,
        };
    }
}
