using Cove.Server.Frontends.Mcp.Http;
using Cove.Server.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cove.Server.Frontends.Mcp;

/// <summary><c>/mcp</c>: the Model Context Protocol over Streamable HTTP, both eras of it on one address.</summary>
internal static class McpEndpoints
{
    private const string Path = "/mcp";

    /// <summary>Registers what the routes need: one table of sessions, ended with the server.</summary>
    public static void AddMcp(this IServiceCollection services, ServerParts parts) => services.AddSingleton(provider => new McpFrontend(
        new SandboxCatalog(new SandboxCatalogParts { Version = parts.Version, Functions = [.. parts.Tools.All, .. parts.Functions], Time = parts.Time, Log = parts.Loggers.CreateLogger<SandboxCatalog>() }).Options,
        new McpSessions(new McpSessionLimits(), parts.Time),
        NullLoggerFactory.Instance)); // the library tells each wrong request as an error with its stack; ours are told of by the request log, the record and the catalog

    /// <summary>Adds the routes.</summary>
    public static void MapMcp(this Routes routes) => routes.MapMcp(Path, static context => context.RequestServices.GetRequiredService<McpFrontend>());

    /// <summary>Adds the routes under a path of choice, before what is offered there.</summary>
    public static void MapMcp(this Routes routes, string path, Func<HttpContext, McpFrontend> frontend)
    {
        // What a message needs beyond reading is asked of the key by each tool.
        var suffix = path == Path ? "" : path.Replace("/", "_", StringComparison.Ordinal);
        routes.Post(path, new Operation("mcpMessage" + suffix, "One message of the Model Context Protocol.")
        {
            Needs = Scopes.Read,
            Starts = true,
            Description = "JSON-RPC 2.0 as the protocol has it, revisions 2026-07-28 (each request for itself) and 2025-11-25 and older (initialize, then Mcp-Session-Id). Tools that change something need a key with the scope 'write', declared tools one with 'tools'.",
            Body = typeof(McpMessage),
            Headers = [new(McpHeaders.Version, "The protocol's revision."), new(McpHeaders.Session, "The session, for revisions before 2026-07-28."), new(McpHeaders.Method, "The method, as in the body."), new(McpHeaders.Name, "The tool, prompt or resource, as in the body.")],
            Answer = typeof(McpMessage),
            AnswerTypes = ["text/event-stream"],
            OtherAnswers = [new(StatusCodes.Status202Accepted, "The message was no request, and is taken."), new(StatusCodes.Status400BadRequest, "The message is not acceptable.", typeof(McpMessage)), new(StatusCodes.Status404NotFound, "There is no such method or session.", typeof(McpMessage))],
            Json = McpJson.Wire,
        }, context => frontend(context).PostAsync(context));
        routes.Delete(path, new Operation("endMcpSession" + suffix, "Ends a session of the Model Context Protocol.")
        {
            Needs = Scopes.Read,
            Status = StatusCodes.Status204NoContent,
            Headers = [new(McpHeaders.Session, "The session.")],
        }, context => frontend(context).DeleteAsync(context));
    }
}
