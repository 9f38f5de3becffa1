using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace Cove.Tests.Mcp;

/// <summary>An answer to a message: its status, and what came over the stream.</summary>
internal sealed record McpAnswer(int Status, string? Session, IReadOnlyList<JsonObject> Messages)
{
    /// <summary>The last message: the response.</summary>
    public JsonObject Last => Messages[^1];

    public JsonObject Result => Last["result"]?.AsObject() ?? throw new InvalidOperationException(Last.ToJsonString());

    public JsonNode Structured => Result["structuredContent"] ?? throw new InvalidOperationException(Last.ToJsonString());

    public bool IsError => Result["isError"]?.GetValue<bool>() ?? false;

    public int ErrorCode => Last["error"]!["code"]!.GetValue<int>();
}

/// <summary>Speaks the protocol by hand, so that the tests see what is on the wire.</summary>
internal sealed class McpTalk(HttpClient http, string? key = null, string path = "/mcp")
{
    public const string Stateless = "2026-07-28";

    private int _id;

    /// <summary>A request of the revision 2026-07-28.</summary>
    public Task<McpAnswer> AskAsync(string method, JsonObject? parameters = null, JsonNode? progress = null, CancellationToken cancellationToken = default)
    {
        parameters ??= [];
        parameters["_meta"] = Meta(progress);
        var body = new JsonObject { ["jsonrpc"] = "2.0", ["id"] = Interlocked.Increment(ref _id), ["method"] = method, ["params"] = parameters };
        var named = (parameters["name"] ?? parameters["uri"])?.GetValue<string>();
        List<(string, string)> headers = [("MCP-Protocol-Version", Stateless), ("Mcp-Method", method)];
        if (named is not null)
        {
            headers.Add(("Mcp-Name", named.All(c => c is >= ' ' and <= '~') ? named : $"=?base64?{Convert.ToBase64String(Encoding.UTF8.GetBytes(named))}?="));
        }

        return PostAsync(body.ToJsonString(), headers, cancellationToken);
    }

    /// <summary>Calls a tool.</summary>
    public Task<McpAnswer> CallAsync(string tool, JsonObject arguments, JsonNode? progress = null, CancellationToken cancellationToken = default) =>
        AskAsync("tools/call", new JsonObject { ["name"] = tool, ["arguments"] = arguments }, progress, cancellationToken);

    /// <summary>Whatever is to be sent.</summary>
    public async Task<McpAnswer> PostAsync(string body, IEnumerable<(string Name, string Value)> headers, CancellationToken cancellationToken = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Accept.ParseAdd("application/json, text/event-stream");
        if (key is not null)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.Remove(name);
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await http.SendAsync(request, cancellationToken);
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        var session = response.Headers.TryGetValues("Mcp-Session-Id", out var values) ? values.Single() : null;
        return new McpAnswer((int)response.StatusCode, session, Messages(text));
    }

    public static JsonObject Meta(JsonNode? progress = null)
    {
        var meta = new JsonObject
        {
            ["io.modelcontextprotocol/protocolVersion"] = Stateless,
            ["io.modelcontextprotocol/clientInfo"] = new JsonObject { ["name"] = "tests", ["version"] = "1" },
            ["io.modelcontextprotocol/clientCapabilities"] = new JsonObject(),
        };
        if (progress is not null)
        {
            meta["progressToken"] = progress;
        }

        return meta;
    }

    private static List<JsonObject> Messages(string text) => text.Length == 0 ? []
        : text[0] == '{' ? [JsonNode.Parse(text)!.AsObject()]
        : [.. text.Split('\n').Where(line => line.StartsWith("data:", StringComparison.Ordinal) && line.Length > 6).Select(line => JsonNode.Parse(line[5..])!.AsObject())];
}
