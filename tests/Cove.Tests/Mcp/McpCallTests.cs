using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Cove.Server.Hosting;
using Cove.Server.State;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Mcp;

/// <summary>Calls of tools: whose they are, what they may, how they are told of and stopped.</summary>
public sealed class McpCallTests : IAsyncLifetime
{
    private readonly FakeCove _cove = new();
    private AccessServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await AccessServer.StartAsync(_cove);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Another_projects_sandbox_is_as_absent_as_one_that_never_was()
    {
        var (owner, stranger) = (await TalkAsync("alpha"), await TalkAsync("beta"));
        var real = (await owner.CallAsync("create_sandbox", [])).Structured["sandbox_id"]!.GetValue<string>();
        _cove.Files["/workspace/a"] = [1];
        var tools = (await owner.AskAsync("tools/list")).Result["tools"]!.AsArray().Select(tool => tool!).Where(tool => tool["inputSchema"]!["properties"]!["sandbox_id"] is not null).ToArray();
        Assert.Equal(6, tools.Length);
        foreach (var tool in tools)
        {
            var name = tool["name"]!.GetValue<string>();
            var foreign = await stranger.CallAsync(name, Filled(tool, real));
            var never = SandboxId.New().Value;
            var absent = await owner.CallAsync(name, Filled(tool, never));
            Assert.True(foreign.IsError, name);
            Assert.Equal(absent.Structured.ToJsonString().Replace(never, "ID", StringComparison.Ordinal), foreign.Structured.ToJsonString().Replace(real, "ID", StringComparison.Ordinal));
        }

        var read = await stranger.AskAsync("resources/read", new JsonObject { ["uri"] = $"cove://sandbox/{real}/workspace/a" });
        var none = await owner.AskAsync("resources/read", new JsonObject { ["uri"] = $"cove://sandbox/{SandboxId.New().Value}/workspace/a" });
        Assert.Equal((-32602, -32602), (read.ErrorCode, none.ErrorCode));
        Assert.Equal("[]", (await stranger.CallAsync("list_sandboxes", [])).Structured["sandboxes"]!.ToJsonString());
        Assert.Single(_cove.Sandboxes);
        Assert.Null(_cove.LastRun);
    }

    [Fact]
    public async Task A_key_that_may_only_look_changes_nothing()
    {
        var looker = await TalkAsync("alpha", Scopes.Read);
        Assert.False((await looker.CallAsync("list_sandboxes", [])).IsError);
        foreach (var tool in new[] { "create_sandbox", "run_code", "run_command", "write_file", "close_sandbox" })
        {
            var answer = await looker.CallAsync(tool, new JsonObject { ["sandbox_id"] = "s23" });
            Assert.Equal((true, "scope_missing"), (answer.IsError, answer.Structured["error"]!["code"]!.GetValue<string>()));
        }

        Assert.Empty(_cove.Sandboxes);
        Assert.Null(_cove.LastCreate);
    }

    [Fact]
    public async Task What_tools_change_is_on_record_under_their_names()
    {
        var talk = await TalkAsync("alpha");
        var sandbox = (await talk.CallAsync("create_sandbox", [])).Structured["sandbox_id"]!.GetValue<string>();
        await talk.CallAsync("list_sandboxes", []);
        await talk.CallAsync("run_code", new JsonObject { ["sandbox_id"] = sandbox, ["code"] = "password = 'hunter2'" });
        AuditRow[] rows = [];
        await Eventually.Holds(
            async () =>
            {
                await _server.State.Writer.FlushAsync();
                rows = [.. (await _server.State.Audit.ListAsync(100)).AsEnumerable().Reverse()];
                return rows.Length >= 2;
            },
            "both are on record");
        Assert.Equal([("mcp_create_sandbox", sandbox), ("mcp_run_code", sandbox)], rows.Select(row => (row.Operation, row.Sandbox!)));
        Assert.DoesNotContain(rows, row => row.ToString().Contains("hunter", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_program_that_fails_is_a_result_and_a_limit_is_an_error()
    {
        var talk = await TalkAsync("alpha");
        _cove.Run = run =>
        {
            run.Print("half\n");
            run.Result = FakeCoveRun.Ended(RunOutcome.GuestError, 1, FakeCove.Error("python_exception", ErrorCategory.Code).Error);
            return Task.CompletedTask;
        };
        var failed = await talk.CallAsync("run_code", new JsonObject { ["code"] = "1/0" });
        Assert.Equal((false, 1, "half\n", "python_exception"), (failed.IsError, failed.Structured["exit_code"]!.GetValue<int>(), failed.Structured["stdout"]!.GetValue<string>(), failed.Structured["error"]!["code"]!.GetValue<string>()));

        _cove.Run = run =>
        {
            run.Print("half\n");
            run.Result = FakeCoveRun.Ended(RunOutcome.TimedOut, 124, FakeCove.Error("wall_time_exceeded", ErrorCategory.Limit).Error);
            return Task.CompletedTask;
        };
        var late = await talk.CallAsync("run_code", new JsonObject { ["code"] = "while True: pass" });
        Assert.Equal((true, "timed_out", "half\n"), (late.IsError, late.Structured["outcome"]!.GetValue<string>(), late.Structured["stdout"]!.GetValue<string>()));
    }

    [Fact]
    public async Task A_result_and_a_refusal_name_the_callers_correlation_id_as_the_run_does()
    {
        var talk = await TalkAsync("alpha");
        _server.Http.DefaultRequestHeaders.Add("X-Correlation-Id", "mine-1");
        var done = await talk.CallAsync("run_code", new JsonObject { ["code"] = "1" });
        var refused = await talk.CallAsync("run_code", new JsonObject { ["cod"] = "1" });
        Assert.Equal("mine-1", _cove.LastRun!.CorrelationId);
        Assert.All([done, refused], answer => Assert.Equal("mine-1", answer.Result["_meta"]!["cove/correlation_id"]!.GetValue<string>()));
    }

    [Fact]
    public async Task The_traceback_of_an_exception_ends_stderr_because_the_model_reads_it_nowhere_else()
    {
        var talk = await TalkAsync("alpha");
        _cove.Run = run =>
        {
            run.Print("careful", OutputStream.Stderr);
            var error = FakeCove.Error("python_exception", ErrorCategory.Code).Error with { Evidence = new ErrorEvidence { Traceback = "Traceback (most recent call last):\n  line 3\nValueError: no" } };
            run.Result = FakeCoveRun.Ended(RunOutcome.GuestError, 1, error);
            return Task.CompletedTask;
        };
        var failed = await talk.CallAsync("run_code", new JsonObject { ["code"] = "f()" });
        Assert.Equal("careful\nTraceback (most recent call last):\n  line 3\nValueError: no\n", failed.Structured["stderr"]!.GetValue<string>());
        Assert.Contains("line 3", failed.Result["content"]![0]!["text"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{}""", "lacks the field 'code'", "Known here: code, language, sandbox_id, timeout_seconds.")]
    [InlineData("""{"code":5}""", "'code' that is not a text in quotes: 5.", "Give a text in quotes.")]
    [InlineData("""{"code":"1","language":"perl"}""", "'language' that is not one of python, bash, javascript: \"perl\".", "Give one of python, bash, javascript.")]
    [InlineData("""{"code":"1","timeout":5}""", "a field 'timeout', which", "Known here: code, language, sandbox_id, timeout_seconds.")]
    public async Task Wrong_input_is_told_with_the_field_and_what_would_be_right(string arguments, string message, string fix)
    {
        var talk = await TalkAsync("alpha");
        var refused = await talk.CallAsync("run_code", JsonNode.Parse(arguments)!.AsObject());
        var error = refused.Structured["error"]!;
        Assert.Equal((true, "invalid_input"), (refused.IsError, error["code"]!.GetValue<string>()));
        Assert.Contains(message, error["message"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.StartsWith(fix, error["remediation"]!.GetValue<string>(), StringComparison.Ordinal);
        Assert.DoesNotContain("Cove.", refused.Structured.ToJsonString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("2026-07-28")]
    [InlineData("2025-11-25")]
    public async Task A_long_run_is_told_of_and_who_gives_up_interrupts_it(string version)
    {
        var key = await _server.KeyAsync("alpha");
        var session = version == McpTalk.Stateless ? null : await McpHttpTests.BeginAsync(new McpTalk(_server.Http, key), version);
        _cove.Run = async run =>
        {
            run.Print("working\n");
            await run.Interrupted;
            run.Result = FakeCoveRun.Ended(RunOutcome.Interrupted, null, FakeCove.Error("interrupted", ErrorCategory.Caller).Error);
        };
        using var gone = new CancellationTokenSource();
        using var request = Request(key, session);
        using var response = await _server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, gone.Token);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(gone.Token));
        string? line;
        do
        {
            line = await Eventually.Within(reader.ReadLineAsync(gone.Token).AsTask());
        }
        while (line is not null && !line.Contains("notifications/progress", StringComparison.Ordinal));
        Assert.Contains("working", line, StringComparison.Ordinal);
        Assert.Contains("\"progressToken\":\"p\"", line, StringComparison.Ordinal);

        if (session is null)
        {
            await gone.CancelAsync();
            response.Dispose(); // with the answer unread, that hangs up
        }
        else
        {
            var cancelled = """{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}""";
            Assert.Equal(202, (await new McpTalk(_server.Http, key).PostAsync(cancelled, [("Mcp-Session-Id", session)])).Status);
        }

        await Eventually.Within(_cove.RunCancelled.Task);
        await Eventually.Holds(() => _cove.Sandboxes.IsEmpty, "the sandbox of the call is gone");
    }

    [Fact]
    public async Task Of_much_output_a_model_reads_both_ends_and_where_the_whole_is()
    {
        var talk = await TalkAsync("alpha");
        var sandbox = (await talk.CallAsync("create_sandbox", [])).Structured["sandbox_id"]!.GetValue<string>();
        var whole = "begin" + string.Concat(Enumerable.Repeat("😀", 60_000)) + "end";
        _cove.Run = run =>
        {
            run.Print(whole);
            return Task.CompletedTask;
        };
        var answer = await talk.CallAsync("run_code", new JsonObject { ["sandbox_id"] = sandbox, ["code"] = "x" });
        var (shown, path) = (answer.Structured["stdout"]!.GetValue<string>(), answer.Structured["full_output"]![0]!.GetValue<string>());
        Assert.True(shown.StartsWith("begin😀", StringComparison.Ordinal) && shown.EndsWith("😀end", StringComparison.Ordinal) && Encoding.UTF8.GetByteCount(shown) < 10_100 && !shown.Contains('\uFFFD', StringComparison.Ordinal));
        Assert.True(answer.Structured["truncated"]!.GetValue<bool>());
        Assert.Equal(whole, Encoding.UTF8.GetString(_cove.Files[path]));
        Assert.Contains(answer.Result["content"]!.AsArray(), block => block!["type"]!.GetValue<string>() == "resource_link" && block["uri"]!.GetValue<string>() == $"cove://sandbox/{sandbox}{path}");
    }

    [Fact]
    public async Task Pictures_are_shown_and_what_only_claims_to_be_one_is_not()
    {
        var talk = await TalkAsync("alpha");
        _cove.Run = run =>
        {
            run.Show(false, ("image/png", "iVBORw0KGgo="));
            run.Show(false, ("image/png", "<script>"));
            run.Show(true, ("text/plain", "42"));
            return Task.CompletedTask;
        };
        var answer = await talk.CallAsync("run_code", new JsonObject { ["code"] = "x" });
        Assert.Equal(("42", 1), (answer.Structured["result"]!.GetValue<string>(), answer.Structured["images"]!.GetValue<int>()));
        Assert.Equal("iVBORw0KGgo=", Assert.Single(answer.Result["content"]!.AsArray(), block => block!["type"]!.GetValue<string>() == "image")!["data"]!.GetValue<string>());
    }

    [Fact]
    public async Task Files_are_resources_text_or_bytes_and_bounded()
    {
        var talk = await TalkAsync("alpha");
        var sandbox = (await talk.CallAsync("create_sandbox", [])).Structured["sandbox_id"]!.GetValue<string>();
        _cove.Files["/workspace/ä b.txt"] = "größe"u8.ToArray();
        _cove.Files["/workspace/x"] = [0, 1, 2];
        _cove.Files["/workspace/big"] = new byte[(1 << 20) + 1];
        var text = await ReadAsync(talk, $"cove://sandbox/{sandbox}/workspace/%C3%A4%20b.txt");
        Assert.Equal("größe", text.Result["contents"]![0]!["text"]!.GetValue<string>());
        var bytes = await ReadAsync(talk, $"cove://sandbox/{sandbox}/workspace/x");
        Assert.Equal("AAEC", bytes.Result["contents"]![0]!["blob"]!.GetValue<string>());
        foreach (var uri in new[] { $"cove://sandbox/{sandbox}/workspace/big", $"cove://sandbox/{sandbox}/none", "cove://sandbox/", "cove://sandbox/../x", "file:///etc/passwd", "", "cove://other/x" })
        {
            Assert.Equal(-32602, (await ReadAsync(talk, uri)).ErrorCode);
        }

        Assert.Equal("cove://sandbox/{sandbox_id}/{+path}", (await talk.AskAsync("resources/templates/list")).Result["resourceTemplates"]![0]!["uriTemplate"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_tool_that_is_none_is_the_protocols_own_error() => Assert.Equal(-32602, (await (await TalkAsync("alpha")).CallAsync("rm_rf", [])).ErrorCode);

    private static Task<McpAnswer> ReadAsync(McpTalk talk, string uri) => talk.AskAsync("resources/read", new JsonObject { ["uri"] = uri });

    private async Task<McpTalk> TalkAsync(string project, Scopes scopes = Scopes.All) => new(_server.Http, await _server.KeyAsync(project, scopes));

    private static JsonObject Filled(JsonNode tool, string sandbox)
    {
        var arguments = new JsonObject { ["sandbox_id"] = sandbox };
        foreach (var name in tool["inputSchema"]!["required"]?.AsArray().Select(name => name!.GetValue<string>()).Where(name => name != "sandbox_id") ?? [])
        {
            arguments[name] = "/workspace/a";
        }

        return arguments;
    }

    private static HttpRequestMessage Request(string key, string? session)
    {
        var parameters = new JsonObject { ["name"] = "run_code", ["arguments"] = new JsonObject { ["code"] = "x" }, ["_meta"] = session is null ? McpTalk.Meta("p") : new JsonObject { ["progressToken"] = "p" } };
        var body = new JsonObject { ["jsonrpc"] = "2.0", ["id"] = 7, ["method"] = "tools/call", ["params"] = parameters };
        var request = new HttpRequestMessage(HttpMethod.Post, "/mcp") { Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json") };
        request.Headers.Accept.ParseAdd("application/json, text/event-stream");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        request.Headers.Add("MCP-Protocol-Version", session is null ? McpTalk.Stateless : "2025-11-25");
        if (session is null)
        {
            request.Headers.Add("Mcp-Method", "tools/call");
            request.Headers.Add("Mcp-Name", "run_code");
        }
        else
        {
            request.Headers.Add("Mcp-Session-Id", session);
        }

        return request;
    }
}
