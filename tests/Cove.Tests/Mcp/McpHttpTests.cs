using System.Text.Json.Nodes;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Mcp;

/// <summary>The Streamable HTTP transport: eras, sessions, and what is refused with which status and code.</summary>
public sealed class McpHttpTests : IAsyncLifetime
{
    private readonly FakeCove _cove = new();
    private AccessServer _server = null!;
    private McpTalk _talk = null!;
    private string _key = "";

    public async ValueTask InitializeAsync()
    {
        _server = await AccessServer.StartAsync(_cove);
        _key = await _server.KeyAsync("alpha");
        _talk = new McpTalk(_server.Http, _key);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_request_of_2026_stands_for_itself()
    {
        var discovered = (await _talk.AskAsync("server/discover")).Result;
        Assert.Equal(["2026-07-28"], discovered["supportedVersions"]!.AsArray().Select(version => version!.GetValue<string>()));
        var answer = await _talk.CallAsync("list_sandboxes", []);
        Assert.Null(answer.Session);
        Assert.Equal("[]", answer.Structured["sandboxes"]!.ToJsonString());
    }

    [Theory]
    [InlineData("2025-11-25")]
    [InlineData("2025-06-18")]
    [InlineData("2025-03-26")]
    [InlineData("2024-11-05")]
    public async Task An_older_client_has_a_session_of_its_own(string version)
    {
        var session = await BeginAsync(_talk, version);
        var tools = await _talk.PostAsync("""{"jsonrpc":"2.0","id":2,"method":"tools/list"}""", [("Mcp-Session-Id", session), ("MCP-Protocol-Version", version)]);
        Assert.Equal(8, tools.Result["tools"]!.AsArray().Count);

        // Another key of the same project is another caller, and another project all the more.
        foreach (var other in new[] { await _server.KeyAsync("alpha"), await _server.KeyAsync("beta") })
        {
            var stolen = await new McpTalk(_server.Http, other).PostAsync("""{"jsonrpc":"2.0","id":2,"method":"tools/list"}""", [("Mcp-Session-Id", session)]);
            var none = await new McpTalk(_server.Http, other).PostAsync("""{"jsonrpc":"2.0","id":2,"method":"tools/list"}""", [("Mcp-Session-Id", new string('0', 64))]);
            Assert.Equal((404, none.Last.ToJsonString()), (stolen.Status, stolen.Last.ToJsonString()));
            using var ended = await _server.SendAsync("DELETE", "/mcp", other, null, ("Mcp-Session-Id", session));
            Assert.Equal(404, (int)ended.StatusCode);
        }

        using var deleted = await _server.SendAsync("DELETE", "/mcp", _key, null, ("Mcp-Session-Id", session));
        Assert.Equal(204, (int)deleted.StatusCode);
        Assert.Equal(404, (await _talk.PostAsync("""{"jsonrpc":"2.0","id":3,"method":"tools/list"}""", [("Mcp-Session-Id", session)])).Status);
    }

    [Theory]
    [InlineData("Mcp-Method", "tools/call", -32020)]
    [InlineData("Mcp-Method", "", -32020)]
    [InlineData("MCP-Protocol-Version", "", -32020)]
    [InlineData("MCP-Protocol-Version", "2025-11-25", -32020)]
    [InlineData("MCP-Protocol-Version", "1999-01-01", -32022)]
    public async Task Headers_must_say_what_the_body_says(string header, string value, int code)
    {
        var body = new JsonObject { ["jsonrpc"] = "2.0", ["id"] = "a", ["method"] = "tools/list", ["params"] = new JsonObject { ["_meta"] = McpTalk.Meta() } };
        Dictionary<string, string> headers = new() { ["MCP-Protocol-Version"] = McpTalk.Stateless, ["Mcp-Method"] = "tools/list" };
        headers[header] = value;
        var answer = await _talk.PostAsync(body.ToJsonString(), headers.Where(pair => pair.Value.Length > 0).Select(pair => (pair.Key, pair.Value)));
        Assert.Equal((400, code, "a"), (answer.Status, answer.ErrorCode, answer.Last["id"]!.GetValue<string>()));
    }

    [Theory]
    [InlineData("run_code", 400)]
    [InlineData("=?base64?bGlzdF9zYW5kYm94ZXM=?=", 200)]
    [InlineData("=?base64?%%%?=", 400)]
    public async Task A_proxy_sees_the_tool_that_is_called(string name, int status)
    {
        var body = new JsonObject { ["jsonrpc"] = "2.0", ["id"] = 1, ["method"] = "tools/call", ["params"] = new JsonObject { ["name"] = "list_sandboxes", ["arguments"] = new JsonObject(), ["_meta"] = McpTalk.Meta() } };
        Assert.Equal(status, (await _talk.PostAsync(body.ToJsonString(), [("MCP-Protocol-Version", McpTalk.Stateless), ("Mcp-Method", "tools/call"), ("Mcp-Name", name)])).Status);
    }

    [Theory]
    [InlineData("""[{"jsonrpc":"2.0","id":1,"method":"ping"}]""", 400)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/list"}""", 400)]
    [InlineData("""{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"ping"}""", 400)]
    [InlineData("""{"id":1}""", 400)]
    [InlineData("null", 400)]
    [InlineData("", 400)]
    public async Task What_is_no_message_or_has_no_session_is_refused(string body, int status) => Assert.Equal(status, (await _talk.PostAsync(body, [])).Status);

    [Fact]
    public async Task Whoever_does_not_take_a_stream_or_sends_no_JSON_is_told_so()
    {
        Assert.Equal(406, (await _talk.PostAsync("{}", [("Accept", "application/json")])).Status);
        using var plain = await _server.SendAsync("POST", "/mcp", _key, "{}", ("Accept", "application/json, text/event-stream"), ("Content-Type", "text/plain"));
        Assert.Equal(415, (int)plain.StatusCode);
        using var stream = await _server.SendAsync("GET", "/mcp", _key);
        Assert.Equal(405, (int)stream.StatusCode);
    }

    [Theory]
    [InlineData("Origin", "https://evil.example", 403)]
    [InlineData("Host", "evil.example", 421)]
    public async Task A_page_of_others_is_not_let_in(string header, string value, int status)
    {
        using var answer = await _server.SendAsync("POST", "/mcp", _key, "{}", (header, value));
        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Fact]
    public async Task Without_a_key_nothing_is_said()
    {
        using var answer = await _server.SendAsync("POST", "/mcp", null, "{}");
        Assert.Equal(401, (int)answer.StatusCode);
        Assert.Equal("Bearer realm=\"cove\"", answer.Headers.WwwAuthenticate.ToString());
    }

    [Fact]
    public async Task A_notification_is_taken_without_a_word()
    {
        var session = await BeginAsync(_talk, "2025-11-25");
        var answer = await _talk.PostAsync("""{"jsonrpc":"2.0","method":"notifications/initialized"}""", [("Mcp-Session-Id", session)]);
        Assert.Equal((202, 0), (answer.Status, answer.Messages.Count));
    }

    internal static async Task<string> BeginAsync(McpTalk talk, string version)
    {
        var parameters = new JsonObject { ["protocolVersion"] = version, ["capabilities"] = new JsonObject(), ["clientInfo"] = new JsonObject { ["name"] = "tests", ["version"] = "1" } };
        var begun = await talk.PostAsync(new JsonObject { ["jsonrpc"] = "2.0", ["id"] = 1, ["method"] = "initialize", ["params"] = parameters }.ToJsonString(), []);
        Assert.Equal(version, begun.Result["protocolVersion"]!.GetValue<string>());
        return begun.Session!;
    }
}
