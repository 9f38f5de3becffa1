using System.Net;
using System.Text.Json.Nodes;
using Cove.Server.Access;
using Cove.Server.Hosting;
using Cove.Server.State;
using Cove.Server.Tools;
using Cove.Tests.Mcp;
using Cove.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cove.Tests.Server.Tools;

/// <summary>A declared tool acts with the server's credentials: only a key with the scope <c>tools</c> calls one, or is told of one, whatever the road.</summary>
public sealed class ToolScopeTests : IAsyncLifetime
{
    private const string Declaration = """
        tools:
          - name: create_issue
            description: Creates an issue.
            allow_private: true
            route: /github/create-issue
            input_schema: {type: object, properties: {title: {type: string}}}
            method: POST
            url: BASE/issues
            headers: {Authorization: 'Bearer ${secret:TOKEN}'}
        """;

    private readonly FakeCove _cove = new();
    private ToolBench _bench = null!;
    private AccessServer _server = null!;

    public async ValueTask InitializeAsync()
    {
        _bench = await ToolBench.StartAsync(Declaration);
        _server = await AccessServer.StartAsync(_cove, tools: ServerTools.Of(_bench.Set));
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _bench.DisposeAsync();
    }

    [Theory]
    [InlineData("/github/create-issue")]
    [InlineData("/tools/create_issue")]
    public async Task Over_HTTP(string path)
    {
        using var refused = await _server.SendAsync("POST", path, await _server.KeyAsync(scopes: Scopes.Usual), """{"title":"t"}""");
        var problem = JsonNode.Parse(await refused.Content.ReadAsStringAsync())!;
        Assert.Equal((HttpStatusCode.Forbidden, "scope_missing"), (refused.StatusCode, (string?)problem["code"]));
        Assert.Contains("'tools'", (string?)problem["detail"], StringComparison.Ordinal);
        Assert.EndsWith("--scope read --scope write --scope tools", (string?)problem["remediation"], StringComparison.Ordinal);
        Assert.Empty(_bench.Api.Requests);

        var key = await _server.KeyAsync(scopes: Scopes.Tools);
        using var done = await _server.SendAsync("POST", path, key, """{"title":"t"}""");
        Assert.Equal(HttpStatusCode.OK, done.StatusCode);
        Assert.Single(_bench.Api.Requests);
        using var other = await _server.SendAsync("POST", "/v1/sandboxes", key, "{}");
        Assert.Equal(HttpStatusCode.Forbidden, other.StatusCode);
    }

    [Theory]
    [InlineData("2026-07-28")]
    [InlineData("2025-11-25")]
    public async Task Over_MCP(string version)
    {
        var without = new McpTalk(_server.Http, await _server.KeyAsync(scopes: Scopes.Usual));
        Assert.DoesNotContain("create_issue", await NamesAsync(without, version));
        var refused = await AskAsync(without, version, "tools/call", Call());
        Assert.Equal((true, "scope_missing"), (refused.IsError, (string?)refused.Structured["error"]!["code"]));
        Assert.Empty(_bench.Api.Requests);

        var with = new McpTalk(_server.Http, await _server.KeyAsync(scopes: Scopes.Read | Scopes.Tools));
        Assert.Contains("create_issue", await NamesAsync(with, version));
        Assert.False((await AskAsync(with, version, "tools/call", Call())).IsError);
        Assert.Single(_bench.Api.Requests);
    }

    [Theory]
    [InlineData("anthropic")]
    [InlineData("mcp")]
    [InlineData("openapi")]
    public async Task In_what_models_are_told(string format)
    {
        Assert.DoesNotContain("create", await ToldAsync(Scopes.Usual), StringComparison.Ordinal);
        Assert.Contains("create", await ToldAsync(Scopes.Read | Scopes.Tools), StringComparison.Ordinal);

        async Task<string> ToldAsync(Scopes scopes)
        {
            using var response = await _server.SendAsync("GET", $"/tools?template=base&format={format}", await _server.KeyAsync(scopes: scopes));
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            return (await response.Content.ReadAsStringAsync()).Replace("Creates an issue.", "create", StringComparison.Ordinal).Replace("create_sandbox", "", StringComparison.Ordinal);
        }
    }

    /// <summary>With every scope there is: a run's calls are its caller's to answer, under whatever name.</summary>
    [Fact]
    public async Task Code_reaches_none_past_its_caller()
    {
        _cove.Run = async run => run.Print((await run.CallAsync("create_issue", """{"title":"t"}""")).Result.GetRawText());
        var key = await _server.KeyAsync();
        var runs = $"/v1/sandboxes/{await _server.SandboxAsync(key)}/runs";
        using var paused = await _server.SendAsync("POST", runs, key, """{"code":"1","id":"r1","tools":[{"name":"create_issue"}]}""", ("Accept", "application/json"));
        var waiting = JsonNode.Parse(await paused.Content.ReadAsStringAsync())!;
        Assert.Equal("waiting_for_tools", (string?)waiting["status"]);
        Assert.Equal("create_issue", (string?)waiting["pending_tool_calls"]![0]!["name"]);
        using var done = await _server.SendAsync("POST", runs + "/r1/tool-results", key, """{"results":[{"call_id":"call_1","result":"mine"}]}""", ("Accept", "application/json"));
        Assert.Equal("\"mine\"", (string?)JsonNode.Parse(await done.Content.ReadAsStringAsync())!["stdout"]);
        Assert.Empty(_bench.Api.Requests);
    }

    [Fact]
    public async Task Keys_have_it_when_somebody_asked_for_it_and_the_first_ones_of_a_server()
    {
        Assert.Equal(Scopes.Read | Scopes.Write, new KeyRequest { Name = "usual" }.Scopes);
        using var directory = new TemporaryDirectory();
        await using var state = await StateStore.OpenAsync(new StateOptions { DataDirectory = Path.Combine(directory.Path, "d") }, NullLogger.Instance);
        await new KeyDesk(state.Keys, state.Time).ProvideAsync(ApiKey.New().Text);
        Assert.Equal((long)Scopes.All, Assert.Single(await state.Keys.ListAsync()).Scopes);
        await _server.Access.WelcomeAsync();
        Assert.Equal((long)Scopes.All, Assert.Single(await _server.State.Keys.ListAsync()).Scopes);
    }

    private static JsonObject Call() => new() { ["name"] = "create_issue", ["arguments"] = new JsonObject { ["title"] = "t" } };

    private static async Task<string[]> NamesAsync(McpTalk talk, string version) =>
        [.. (await AskAsync(talk, version, "tools/list", [])).Result["tools"]!.AsArray().Select(tool => (string)tool!["name"]!)];

    private static async Task<McpAnswer> AskAsync(McpTalk talk, string version, string method, JsonObject parameters)
    {
        if (version == McpTalk.Stateless)
        {
            return await talk.AskAsync(method, parameters);
        }

        var body = new JsonObject { ["jsonrpc"] = "2.0", ["id"] = 3, ["method"] = method, ["params"] = parameters };
        return await talk.PostAsync(body.ToJsonString(), [("Mcp-Session-Id", await McpHttpTests.BeginAsync(talk, version))]);
    }
}
