using System.Net;
using System.Text.Json.Nodes;
using Cove.Server.Hosting;
using Cove.Server.Tools;
using Cove.Tests.Description;
using Cove.Tests.Mcp;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Server.Tools;

/// <summary>Declared tools as a server offers them: the gateway.</summary>
public sealed class DeclaredToolTests : IAsyncLifetime
{
    private const string Declaration = """
        tools:
          - name: create_issue
            description: Creates an issue.
            allow_private: true
            route: /github/create-issue
            input_schema:
              type: object
              properties: {repo: {type: string, pattern: '^[\w-]+/[\w.-]+$'}, title: {type: string}}
              required: [repo, title]
            method: POST
            url: BASE/repos/{+repo}/issues
            headers: {Authorization: 'Bearer ${secret:TOKEN}'}
            body: {title: '{title}'}
            response:
              fields: {issue_number: {path: number, type: integer}, issue_url: html_url}
          - name: look
            description: Looks.
            allow_private: true
            input_schema: {type: object}
            method: GET
            url: BASE/look
            retry: {max: 0}
            timeout: {per_try_seconds: 5}
        circuit: {failure_ratio: 1, minimum_tries: 2}
        """;

    private readonly FakeCove _cove = new();
    private ToolBench _bench = null!;
    private ServerTools _tools = null!;
    private AccessServer _server = null!;
    private string _key = null!;

    public async ValueTask InitializeAsync()
    {
        _bench = await ToolBench.StartAsync(Declaration);
        _tools = ServerTools.Of(_bench.Set);
        _server = await AccessServer.StartAsync(_cove, tools: _tools);
        _key = await _server.KeyAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        await _bench.DisposeAsync();
    }

    [Theory]
    [InlineData("/github/create-issue")]
    [InlineData("/tools/create_issue")]
    public async Task A_tool_answers_under_its_route_and_its_name(string path)
    {
        _bench.Api.Answers((201, """{"number":7,"html_url":"https://github.com/a/b/issues/7","token":"x"}""", []));
        using var response = await _server.SendAsync("POST", path, _key, """{"repo":"a/b","title":"t"}""");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("application/json", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal("""{"success":true,"issue_number":7,"issue_url":"https://github.com/a/b/issues/7"}""", await response.Content.ReadAsStringAsync());
        Assert.Equal("Bearer " + ToolBench.Token, Assert.Single(_bench.Api.Requests).Headers["Authorization"]);
    }

    [Theory]
    [InlineData("""{"repo":"a b","title":"t"}""", 400, "tool_input_invalid")]
    [InlineData("""{"repo":"a/b"}""", 400, "tool_input_invalid")]
    [InlineData("""{"repo":"a/b","title":"t","more":1}""", 400, "tool_input_invalid")]
    [InlineData("""{"repo":"a/b","repo":"c/d","title":"t"}""", 400, "tool_input_invalid")]
    [InlineData("""["a"]""", 400, "tool_input_invalid")]
    [InlineData("""{"repo":""", 400, "tool_input_invalid")]
    public async Task A_wrong_input_is_told_in_the_gateways_shape_and_nothing_is_sent(string body, int status, string code)
    {
        using var response = await _server.SendAsync("POST", "/github/create-issue", _key, body);
        await AssertRefusedAsync(response, status, code);
        Assert.Empty(_bench.Api.Requests);
    }

    [Fact]
    public async Task Only_JSON_is_taken()
    {
        using var form = await _server.SendAsync("POST", "/github/create-issue", _key, "repo=a/b", ("Content-Type", "application/x-www-form-urlencoded"));
        await AssertRefusedAsync(form, 415, "tool_input_invalid");

        // Said by its length: nothing of it needs to be sent to be refused.
        var address = _server.Http.BaseAddress!;
        var large = await RawHttp.SendAsync(address, RawHttp.Request(address, "POST", "/github/create-issue", [("X-API-Key", _key), ("Content-Type", "application/json"), ("Content-Length", "5242880")]));
        Assert.Equal((413, "tool_input_invalid"), (large.Status, (string?)JsonNode.Parse(large.Body)!["code"]));
        Assert.Empty(_bench.Api.Requests);
    }

    [Fact]
    public async Task An_input_counts_as_what_the_server_holds()
    {
        await using var server = await AccessServer.StartAsync(_cove, change: options => options with { MaxHeldBytes = 16 << 20 }, tools: _tools);
        using var response = await server.SendAsync("POST", "/github/create-issue", await server.KeyAsync(), "{\"repo\":\"" + new string('x', 2_900_000) + "\"}");
        var refusal = await AssertRefusedAsync(response, 413, "too_large_to_hold");
        Assert.Equal(("request", "input"), ((string?)refusal["category"], (string?)refusal["error_category"]));
    }

    [Theory]
    [InlineData(422, """{"message":"Validation Failed"}""", 400, "tool_input_refused", false)]
    [InlineData(404, """{"message":"Not Found"}""", 404, "tool_not_found", false)]
    [InlineData(401, """{"message":"Bad credentials"}""", 502, "tool_not_permitted", false)]
    [InlineData(429, "{}", 429, "tool_rate_limited", true)]
    [InlineData(500, "{}", 502, "tool_failed", false)]
    public async Task What_the_other_side_says_becomes_a_status_of_ours(int theirs, string body, int ours, string code, bool waits)
    {
        (string, string)[] headers = waits ? [("Retry-After", "40")] : [];
        _bench.Api.Answers((theirs, body, headers));
        using var response = await _server.SendAsync("POST", "/tools/look", _key, "{}");
        var refusal = await AssertRefusedAsync(response, ours, code);
        Assert.Equal(theirs, (int)refusal["upstream_status"]!);
        Assert.Equal(waits ? 40 : null, response.Headers.RetryAfter?.Delta?.TotalSeconds);
    }

    [Fact]
    public async Task A_host_that_is_left_alone_is_503_with_a_wait()
    {
        _bench.Api.Answers((500, "{}", []));
        for (var i = 0; i < 2; i++)
        {
            using var failed = await _server.SendAsync("POST", "/tools/look", _key, "{}");
            Assert.Equal(HttpStatusCode.BadGateway, failed.StatusCode);
        }

        using var response = await _server.SendAsync("POST", "/tools/look", _key, "{}");
        await AssertRefusedAsync(response, 503, "tool_circuit_open");
        Assert.NotNull(response.Headers.RetryAfter);
    }

    [Fact]
    public async Task An_unknown_tool_is_said_to_be_unknown()
    {
        using var response = await _server.SendAsync("POST", "/tools/none", _key, "{}");
        await AssertRefusedAsync(response, 404, "unknown_tool");
    }

    [Theory]
    [InlineData("/github/create-issue")]
    [InlineData("/tools/create_issue")]
    public async Task What_the_server_itself_refuses_has_the_gateways_shape_too(string path)
    {
        using var nobody = await _server.SendAsync("POST", path, null, "{}");
        Assert.Equal("permission", (string?)(await AssertRefusedAsync(nobody, 401, "key_missing"))["error_category"]);
        using var reader = await _server.SendAsync("POST", path, await _server.KeyAsync(scopes: Scopes.Read), "{}");
        Assert.Equal("request", (string?)(await AssertRefusedAsync(reader, 403, "scope_missing"))["category"]);
        await using var narrow = await AccessServer.StartAsync(_cove, quotas: new() { RequestsPerMinute = 1 }, tools: _tools);
        var key = await narrow.KeyAsync();
        using var first = await narrow.SendAsync("POST", path, key, "{}");
        using var second = await narrow.SendAsync("POST", path, key, "{}");
        await AssertRefusedAsync(first, 400, "tool_input_invalid");
        Assert.Equal("rate_limited", (string?)(await AssertRefusedAsync(second, 429, "quota_exceeded"))["error_category"]);
        Assert.NotNull(second.Headers.RetryAfter);
        Assert.Empty(_bench.Api.Requests);
    }

    [Fact]
    public void Every_route_says_what_it_needs()
    {
        var operations = _server.Endpoints.Select(route => (Path: route.RoutePattern.RawText, Operation: route.Metadata.GetMetadata<Operation>())).Where(route => route.Path is "/github/create-issue" or "/tools/{name}").ToArray();
        Assert.Equal(2, operations.Length);
        Assert.All(operations, route => Assert.True(route.Operation is { Needs: Scopes.Tools, Starts: true }));
    }

    [Fact]
    public async Task A_call_is_on_record_under_its_tools_name()
    {
        using var ok = await _server.SendAsync("POST", "/github/create-issue", _key, """{"repo":"a/b","title":"secret title"}""");
        using var named = await _server.SendAsync("POST", "/tools/look", _key, "{}");
        using var bad = await _server.SendAsync("POST", "/tools/create_issue", _key, "{}");
        await Eventually.Holds(async () => (await AuditAsync()).Count >= 3, "three rows are written");
        var rows = await AuditAsync();
        var expected = new (string, int, string?)[] { ("callTool:create_issue", 200, null), ("callTool:look", 200, null), ("callTool:create_issue", 400, "tool_input_invalid") };
        Assert.Equal(expected.AsEnumerable(), rows);
    }

    [Fact]
    public async Task An_idempotency_key_calls_once()
    {
        _bench.Api.Answers((201, """{"number":1}""", []), (201, """{"number":2}""", []));
        var answers = new List<string>();
        for (var i = 0; i < 2; i++)
        {
            using var response = await _server.SendAsync("POST", "/github/create-issue", _key, """{"repo":"a/b","title":"t"}""", ("Idempotency-Key", "one"));
            answers.Add(await response.Content.ReadAsStringAsync());
        }

        Assert.Equal(answers[0], answers[1]);
        Assert.Single(_bench.Api.Requests);
    }

    [Theory]
    [InlineData("anthropic", "input_schema")]
    [InlineData("mcp", "inputSchema")]
    public async Task Models_are_told_of_them(string format, string schema)
    {
        using var response = await _server.SendAsync("GET", $"/tools?template=base&format={format}", _key);
        var told = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        Assert.True(response.IsSuccessStatusCode, told.ToJsonString());
        var tools = (format == "mcp" ? told["tools"]! : told).AsArray();
        var tool = tools.Single(one => (string?)one!["name"] == "create_issue")!;
        Assert.Equal("Creates an issue.", (string?)tool["description"]);
        Assert.Equal(@"^[\w-]+/[\w.-]+$", (string?)tool[schema]!["properties"]!["repo"]!["pattern"]);
        Assert.DoesNotContain("Authorization", told.ToJsonString(), StringComparison.Ordinal);
        Assert.DoesNotContain(_bench.Api.Host, told.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task They_are_tools_of_the_Model_Context_Protocol()
    {
        _bench.Api.Answers((201, """{"number":7,"html_url":"https://github.com/a/b/issues/7"}""", []), (401, """{"message":"Bad credentials"}""", []));
        var talk = new McpTalk(_server.Http, _key);
        Assert.Contains("create_issue", (await talk.AskAsync("tools/list")).Result["tools"]!.AsArray().Select(tool => (string?)tool!["name"]));
        var made = await talk.CallAsync("create_issue", new JsonObject { ["repo"] = "a/b", ["title"] = "t" });
        Assert.False(made.IsError);
        Assert.Equal(7, (int)made.Structured["issue_number"]!);
        var refused = await talk.CallAsync("create_issue", new JsonObject { ["repo"] = "a/b", ["title"] = "t" });
        Assert.True(refused.IsError);
        var told = (string)refused.Result["content"]![0]!["text"]!;
        Assert.Contains("\"errorCategory\":\"permission\"", told, StringComparison.Ordinal);
        Assert.Contains("\\\"Bad credentials\\\"", told, StringComparison.Ordinal); // escaped once, as JSON demands, and not as \u0022
    }

    [Theory]
    [InlineData("2026-07-28")]
    [InlineData("2025-11-25")]
    public async Task Over_that_protocol_each_is_there_once_with_the_same_scope_and_the_same_record(string version)
    {
        _bench.Api.Answers((201, """{"number":7}""", []));
        await using var plain = await PlainAsync();
        Assert.Equal(["create_issue", "look"], (await NamesAsync(new McpTalk(_server.Http, _key), version)).Except(await NamesAsync(new McpTalk(plain.Http), version)).Order(StringComparer.Ordinal));
        var input = new JsonObject { ["repo"] = "a/b", ["title"] = "secret title" };
        var reader = await CallAsync(new McpTalk(_server.Http, await _server.KeyAsync(scopes: Scopes.Read)), version, "create_issue", input);
        Assert.Equal((true, "scope_missing"), (reader.IsError, (string?)reader.Structured["error"]!["code"]));
        Assert.Empty(_bench.Api.Requests);

        var talk = new McpTalk(_server.Http, _key);
        Assert.False((await CallAsync(talk, version, "create_issue", input)).IsError);
        Assert.True((await CallAsync(talk, version, "create_issue", [])).IsError);
        Assert.Single(_bench.Api.Requests);
        await Eventually.Holds(async () => (await AuditAsync()).Count >= 3, "three rows are written");
        var expected = new (string, int, string?)[] { ("callTool:create_issue", 200, "scope_missing"), ("callTool:create_issue", 200, null), ("callTool:create_issue", 200, "tool_input_invalid") };
        Assert.Equal(expected.AsEnumerable(), await AuditAsync());
    }

    [Fact]
    public async Task They_are_described_to_programs()
    {
        using var tools = await _server.SendAsync("GET", "/tools?template=base&format=openapi", _key);
        var told = JsonNode.Parse(await tools.Content.ReadAsStringAsync())!.AsObject();
        Assert.Empty(OpenApiRules.Broken(told));
        Assert.Equal("create_issue", (string?)told["paths"]!["/github/create-issue"]!["post"]!["operationId"]);
        Assert.NotNull(told["paths"]!["/tools/look"]);
        using var whole = await _server.SendAsync("GET", "/openapi.json", null);
        var description = JsonNode.Parse(await whole.Content.ReadAsStringAsync())!.AsObject();
        Assert.Empty(OpenApiRules.Broken(description));
        Assert.NotNull(description["paths"]!["/github/create-issue"]);
        Assert.NotNull(description["paths"]!["/tools/{name}"]);
    }

    [Fact]
    public async Task A_server_that_others_reach_describes_them_to_key_holders_only()
    {
        await using var server = await AccessServer.StartAsync(
            _cove,
            options: options => options with { Urls = [Cove.Server.Settings.ListenUrl.TryParse("http://0.0.0.0:0")!] },
            tools: _tools);
        using var http = new HttpClient { BaseAddress = new Uri(server.Http.BaseAddress!.ToString().Replace("0.0.0.0", "127.0.0.1", StringComparison.Ordinal)) };
        Assert.Equal(await File.ReadAllTextAsync(OpenApiDocument.Path), await http.GetStringAsync("/openapi.json"));
    }

    [Theory]
    [InlineData("/v1/sandboxes")]
    [InlineData("/tools/x")]
    [InlineData("/health/x")]
    [InlineData("/docs/docs-js")]
    [InlineData("/execute/x")]
    public async Task No_declaration_takes_a_route_of_the_server(string route)
    {
        var bench = await ToolBench.StartAsync(Declaration.Replace("/github/create-issue", route, StringComparison.Ordinal));
        await using var _ = bench;
        using var tools = ServerTools.Of(bench.Set);
        var failure = await Assert.ThrowsAsync<CoveException>(() => AccessServer.StartAsync(_cove, tools: tools));
        Assert.Contains(route, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_declaration_takes_a_name_of_a_sandboxes_tool()
    {
        await using var plain = await PlainAsync();
        foreach (var name in (await NamesAsync(new McpTalk(plain.Http), McpTalk.Stateless)).Append("run_python"))
        {
            await using var bench = await ToolBench.StartAsync(Declaration.Replace("name: look", "name: " + name, StringComparison.Ordinal));
            Assert.Contains(name, Assert.Throws<CoveException>(() => ServerTools.Of(bench.Set)).Message, StringComparison.Ordinal);
        }
    }

    private Task<FrontDoor> PlainAsync() => FrontDoor.StartAsync(_cove);

    private static async Task<string[]> NamesAsync(McpTalk talk, string version)
    {
        var listed = version == McpTalk.Stateless ? await talk.AskAsync("tools/list") : await talk.PostAsync("""{"jsonrpc":"2.0","id":2,"method":"tools/list"}""", [("Mcp-Session-Id", await McpHttpTests.BeginAsync(talk, version))]);
        var names = listed.Result["tools"]!.AsArray().Select(tool => (string)tool!["name"]!).ToArray();
        Assert.Equal(names.Distinct(), names);
        return names;
    }

    private static async Task<McpAnswer> CallAsync(McpTalk talk, string version, string tool, JsonObject input)
    {
        if (version == McpTalk.Stateless)
        {
            return await talk.CallAsync(tool, input.DeepClone().AsObject());
        }

        var body = new JsonObject { ["jsonrpc"] = "2.0", ["id"] = 3, ["method"] = "tools/call", ["params"] = new JsonObject { ["name"] = tool, ["arguments"] = input.DeepClone() } };
        return await talk.PostAsync(body.ToJsonString(), [("Mcp-Session-Id", await McpHttpTests.BeginAsync(talk, version))]);
    }

    private async Task<IReadOnlyList<(string, int, string?)>> AuditAsync()
    {
        await _server.State.Writer.FlushAsync();
        return [.. (await _server.State.Audit.ListAsync(100)).AsEnumerable().Reverse().Where(row => row.Operation.StartsWith("callTool", StringComparison.Ordinal)).Select(row => (row.Operation, row.Status, row.Outcome))];
    }

    private static async Task<JsonObject> AssertRefusedAsync(HttpResponseMessage response, int status, string code)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True((int)response.StatusCode == status, text);
        var refusal = JsonNode.Parse(text)!.AsObject();
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType!.MediaType);
        Assert.NotNull(System.Text.Json.JsonSerializer.Deserialize(text, Wire.CoveJson.Wire.Problem));
        Assert.False((bool)refusal["success"]!);
        Assert.Equal((string?)refusal["detail"], (string?)refusal["error"]);
        Assert.NotEmpty((string)refusal["error"]!);
        Assert.Equal(code, (string?)refusal["code"]);
        Assert.Equal(status, (int)refusal["status"]!);
        Assert.Equal("urn:cove:error:" + code, (string?)refusal["type"]);
        Assert.NotEmpty((string)refusal["remediation"]!);
        Assert.DoesNotContain(ToolBench.Token, text, StringComparison.Ordinal);
        return refusal;
    }
}
