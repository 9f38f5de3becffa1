using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace Cove.Server.Frontends.Mcp.Http;

/// <summary>Why a message is not taken, as the transport answers it: a status, and a JSON-RPC error that names the request.</summary>
internal sealed record McpRefusal(int Status, int Code, string Message)
{
    /// <summary>What JSON-RPC leaves to servers.</summary>
    private const int ServerError = -32000;

    private const int NoSession = -32001;

    /// <summary>The request it answers, where that could be read.</summary>
    public RequestId Id { get; init; }

    /// <summary>More, for programs.</summary>
    public JsonObject? Data { get; init; }

    public static McpRefusal NotAcceptable { get; } = new(StatusCodes.Status406NotAcceptable, ServerError, "Say that you accept both: 'Accept: application/json, text/event-stream'.");

    public static McpRefusal NotJson { get; } = new(StatusCodes.Status415UnsupportedMediaType, ServerError, "The body is JSON: send 'Content-Type: application/json'.");

    public static McpRefusal Malformed { get; } = new(StatusCodes.Status400BadRequest, (int)McpErrorCode.InvalidRequest, "The body is no message of JSON-RPC 2.0: one object with jsonrpc, method and, of a request, an id that is text or a whole number. Batches are not taken.");

    public static McpRefusal SessionNeeded { get; } = new(StatusCodes.Status400BadRequest, ServerError, $"Begin with 'initialize' and send the {McpHeaders.Session} it answers with; or say '{McpHeaders.Version}: {McpVersions.Stateless}', which needs no session.");

    public static McpRefusal SessionUnknown { get; } = new(StatusCodes.Status404NotFound, NoSession, "There is no such session, or no longer: begin again with 'initialize'. Sandboxes outlive sessions.");

    public static McpRefusal TooManySessions { get; } = new(StatusCodes.Status503ServiceUnavailable, ServerError, $"This server has as many sessions as it takes. Try again later, or use the revision {McpVersions.Stateless}, which needs none.");

    public static McpRefusal Mismatch(string message) => new(StatusCodes.Status400BadRequest, (int)McpErrorCode.HeaderMismatch, message);

    public static McpRefusal MetaMissing(string member) => new(StatusCodes.Status400BadRequest, (int)McpErrorCode.InvalidParams, $"A request of the revision {McpVersions.Stateless} has {member} in its params' _meta.");

    public static McpRefusal NoMethod(string method) => new(StatusCodes.Status404NotFound, (int)McpErrorCode.MethodNotFound, $"The method '{method}' is none of the revision {McpVersions.Stateless}.");

    public static McpRefusal UnknownVersion(string requested) => new(StatusCodes.Status400BadRequest, (int)McpErrorCode.UnsupportedProtocolVersion, "The protocol revision is not known here.")
    {
        Data = new JsonObject
        {
            ["requested"] = requested.Length <= 100 ? requested : requested[..100],
            ["supported"] = new JsonArray((JsonNode)McpVersions.Stateless), // what server/discover says; the older ones are agreed on in initialize
        },
    };

    public async Task WriteAsync(HttpContext context)
    {
        var error = new JsonObject { ["code"] = Code, ["message"] = Message };
        if (Data is not null)
        {
            error["data"] = Data.DeepClone();
        }

        var body = new JsonObject { ["jsonrpc"] = "2.0", ["id"] = Id.Id is string text ? text : Id.Id is long number ? number : null, ["error"] = error };
        context.Response.StatusCode = Status;
        context.Response.ContentType = "application/json";
        var bytes = Encoding.UTF8.GetBytes(body.ToJsonString(McpJson.Wire.Options));
        context.Response.ContentLength = bytes.Length;
        await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
    }
}

/// <summary>The protocol's revisions.</summary>
internal static class McpVersions
{
    /// <summary>The one where each request stands for itself.</summary>
    public const string Stateless = "2026-07-28";

    public static IReadOnlyList<string> All { get; } = [Stateless, "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];
}
