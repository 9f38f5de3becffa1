using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using System.Text.Unicode;
using Cove.Server.Bounds;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;

namespace Cove.Server.Frontends.Mcp.Http;

/// <summary>A message as it was posted, its headers held against its body: what a proxy judged by its headers must be what is done.</summary>
/// <param name="Message">The message.</param>
/// <param name="Stateless">Whether it stands for itself (2026-07-28), or belongs to a session.</param>
internal sealed record McpPost(JsonRpcMessage Message, bool Stateless)
{
    /// <summary>Room for the largest code (900,000 bytes) with six characters for each of its bytes, and for files of 4 MiB.</summary>
    private const long MaximumBodyBytes = 6 << 20;

    private static readonly JsonDocumentOptions _strict = new() { AllowDuplicateProperties = false };
    private static readonly JsonTypeInfo<JsonRpcMessage> _type = McpJsonUtilities.DefaultOptions.GetTypeInfo<JsonRpcMessage>();
    private static readonly HashSet<string> _removed = ["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"];
    private static readonly Dictionary<string, string> _named = new() { ["tools/call"] = "name", ["prompts/get"] = "name", ["resources/read"] = "uri" };

    public static async Task<(McpPost? Post, McpRefusal? Refusal)> ReadAsync(HttpContext context)
    {
        if (!Accepts(context.Request, "application/json") || !Accepts(context.Request, "text/event-stream"))
        {
            return (null, McpRefusal.NotAcceptable);
        }

        if (!MediaTypeHeaderValue.TryParse(context.Request.ContentType, out var type) || !type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase))
        {
            return (null, McpRefusal.NotJson);
        }

        if (await MessageAsync(context) is not { } message)
        {
            return (null, McpRefusal.Malformed);
        }

        var id = (message as JsonRpcRequest)?.Id ?? default;
        var (stateless, refusal) = Judge(context.Request.Headers, message);
        return refusal is null ? (new McpPost(message, stateless), null) : (null, refusal with { Id = id });
    }

    private static async Task<JsonRpcMessage?> MessageAsync(HttpContext context)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = Math.Min(limit.MaxRequestBodySize ?? long.MaxValue, MaximumBodyBytes);
        }

        var counted = BoundedBody.Of(context);
        context.Response.RegisterForDisposeAsync(counted); // the message is there until it is answered
        try
        {
            using var bytes = new MemoryStream();
            await counted.CopyToAsync(bytes, context.RequestAborted);
            var text = bytes.GetBuffer().AsMemory(0, (int)bytes.Length);
            if (!Utf8.IsValid(text.Span))
            {
                return null; // a reader of JSON looks at that only where a string is taken out, and would run something like what was sent
            }

            using var body = JsonDocument.Parse(text, _strict);
            var message = body.Deserialize(_type);
            if (message is not null && (string?)context.Request.Headers[McpHeaders.Version] is { Length: > 0 } version)
            {
                message.Context ??= new JsonRpcMessageContext();
                message.Context.ProtocolVersion = version;
            }

            return message;
        }
        catch (Exception failure) when (failure is JsonException or InvalidOperationException or FormatException or NotSupportedException)
        {
            // The second: a string that is no text, such as half of a surrogate pair.
            return null;
        }
    }

    /// <summary>To which era it belongs, and what is wrong with it there.</summary>
    private static (bool Stateless, McpRefusal? Refusal) Judge(IHeaderDictionary headers, JsonRpcMessage message)
    {
        var version = headers[McpHeaders.Version].ToString();
        if (version.Length > 0 && !McpVersions.All.Contains(version))
        {
            return (false, McpRefusal.UnknownVersion(version));
        }

        var (method, parameters) = message switch
        {
            JsonRpcRequest request => (request.Method, request.Params as JsonObject),
            JsonRpcNotification notification => (notification.Method, notification.Params as JsonObject),
            _ => (null, null),
        };
        var meta = parameters?["_meta"] as JsonObject;
        var told = Text(meta?[MetaKeys.ProtocolVersion]);
        if (method is null || (version != McpVersions.Stateless && told != McpVersions.Stateless))
        {
            return (false, null);
        }

        return (true, Mismatch(headers, version, told, method, parameters) ?? (message is JsonRpcRequest ? Missing(method, told, meta) : null));
    }

    private static McpRefusal? Mismatch(IHeaderDictionary headers, string version, string? told, string method, JsonObject? parameters)
    {
        if (version.Length == 0 || (told is not null && version != told))
        {
            return McpRefusal.Mismatch($"The header {McpHeaders.Version} and {MetaKeys.ProtocolVersion} in _meta must be there both, and be the same.");
        }

        if (headers[McpHeaders.Method].ToString().Trim() != method)
        {
            return McpRefusal.Mismatch($"The header {McpHeaders.Method} must be there, and name the method of the body.");
        }

        return _named.GetValueOrDefault(method) is { } member && Name(headers) != (Text(parameters?[member]) ?? "")
            ? McpRefusal.Mismatch($"The header {McpHeaders.Name} must be there, and be params.{member} of the body (other than visible ASCII as =?base64?…?=).")
            : null;
    }

    private static McpRefusal? Missing(string method, string? told, JsonObject? meta)
    {
        if (told is null)
        {
            return McpRefusal.MetaMissing(MetaKeys.ProtocolVersion);
        }

        if (meta![MetaKeys.ClientCapabilities] is not JsonObject)
        {
            return McpRefusal.MetaMissing(MetaKeys.ClientCapabilities + ", an object,");
        }

        return _removed.Contains(method) ? McpRefusal.NoMethod(method) : null;
    }

    /// <summary>The name in the header; null when there is none, or none that can be read.</summary>
    private static string? Name(IHeaderDictionary headers) => headers[McpHeaders.Name] is [{ } name] && name.All(c => c is '\t' or (>= ' ' and <= '~')) ? McpHeaderEncoder.DecodeValue(name.Trim()) : null;

    private static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    private static bool Accepts(HttpRequest request, string type) =>
        MediaTypeHeaderValue.TryParseList(request.Headers.Accept, out var accepted) && accepted.Any(range => range.Quality is not 0 && range.MatchesMediaType(type));
}
