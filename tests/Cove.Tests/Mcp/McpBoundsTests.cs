using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Mcp;

/// <summary>What callers may pin of the server's memory through the protocol, and what becomes of a call whose session is ended.</summary>
public sealed class McpBoundsTests : IAsyncLifetime
{
    private readonly FakeCove _cove = new();
    private AccessServer _server = null!;
    private string _key = "";
    private McpTalk _talk = null!;

    public async ValueTask InitializeAsync()
    {
        // A project may have half of it, and a byte of JSON counts three times.
        _server = await AccessServer.StartAsync(_cove, change: options => options with { MaxHeldBytes = 16 << 20 });
        _key = await _server.KeyAsync("alpha");
        _talk = new McpTalk(_server.Http, _key);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task A_message_counts_as_held_while_it_is_answered()
    {
        Assert.Equal((413, "too_large_to_hold"), Problem(await _talk.CallAsync("write_file", Content(3 << 20))));
        var sandbox = (await _talk.CallAsync("create_sandbox", [])).Structured["sandbox_id"]!.GetValue<string>();
        var (running, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        _cove.Run = async _ =>
        {
            running.TrySetResult();
            await go.Task;
        };
        var first = _talk.CallAsync("run_command", new JsonObject { ["command"] = "true", ["sandbox_id"] = sandbox, ["stdin"] = new string('x', 3 << 19) });
        await Eventually.Within(running.Task);
        Assert.Equal((429, "quota_exceeded"), Problem(await _talk.CallAsync("write_file", Content(2 << 20))));
        go.SetResult();
        Assert.False((await first).IsError);

        // And is given back.
        await Eventually.Holds(async () => (await _talk.CallAsync("write_file", Content(2 << 20))).Status == 200, "there is room again");
    }

    [Theory]
    [InlineData("2026-07-28")]
    [InlineData("2025-11-25")]
    public async Task An_answer_counts_as_held_until_it_is_read(string version)
    {
        _cove.Run = run =>
        {
            for (var i = 0; i < 8; i++)
            {
                run.Show(false, ("image/png", Convert.ToBase64String(new byte[1_000_000])));
            }

            return Task.CompletedTask;
        };
        using var request = Request("run_code", new JsonObject { ["code"] = "x" }, version == McpTalk.Stateless ? null : await McpHttpTests.BeginAsync(_talk, version));
        if (version == McpTalk.Stateless)
        {
            using var refused = await _server.Http.SendAsync(request);
            Assert.Equal(413, (int)refused.StatusCode);
            Assert.Contains("too_large_to_hold", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
        else
        {
            // Its head is out already: it is broken off.
            await Assert.ThrowsAnyAsync<HttpRequestException>(() => _server.Http.SendAsync(request));
        }

        _cove.Run = static _ => Task.CompletedTask;
        await Eventually.Holds(async () => await _talk.CallAsync("run_code", new JsonObject { ["code"] = "x" }) is { Status: 200, IsError: false }, "it is given back");
    }

    [Fact]
    public async Task A_session_that_is_ended_ends_what_it_has_in_progress()
    {
        var running = new TaskCompletionSource();
        _cove.Run = async run =>
        {
            running.TrySetResult();
            await run.Interrupted;
            run.Result = FakeCoveRun.Ended(RunOutcome.Interrupted, null, FakeCove.Error("interrupted", ErrorCategory.Caller).Error);
        };
        var session = await McpHttpTests.BeginAsync(_talk, "2025-11-25");
        using var request = Request("run_code", new JsonObject { ["code"] = "x" }, session);
        var call = _server.Http.SendAsync(request);
        await Eventually.Within(running.Task);
        using var ended = await _server.SendAsync("DELETE", "/mcp", _key, null, ("Mcp-Session-Id", session));
        Assert.Equal(204, (int)ended.StatusCode);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => call);
        await Eventually.Within(_cove.RunCancelled.Task);
        await Eventually.Holds(() => _cove.Sandboxes.IsEmpty, "the sandbox of the call is gone");
        Assert.Equal(404, (await _talk.PostAsync("""{"jsonrpc":"2.0","id":3,"method":"tools/list"}""", [("Mcp-Session-Id", session)])).Status);
    }

    private static JsonObject Content(int length) => new() { ["sandbox_id"] = SandboxId.New().Value, ["path"] = "/workspace/a", ["content"] = new string('x', length) };

    private static (int, string?) Problem(McpAnswer answer) => (answer.Status, (string?)answer.Last["code"]);

    private HttpRequestMessage Request(string tool, JsonObject arguments, string? session)
    {
        var parameters = new JsonObject { ["name"] = tool, ["arguments"] = arguments };
        var request = new HttpRequestMessage(HttpMethod.Post, "/mcp");
        request.Headers.Accept.ParseAdd("application/json, text/event-stream");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _key);
        if (session is null)
        {
            parameters["_meta"] = McpTalk.Meta();
            request.Headers.Add("MCP-Protocol-Version", McpTalk.Stateless);
            request.Headers.Add("Mcp-Method", "tools/call");
            request.Headers.Add("Mcp-Name", tool);
        }
        else
        {
            request.Headers.Add("Mcp-Session-Id", session);
        }

        request.Content = new StringContent(new JsonObject { ["jsonrpc"] = "2.0", ["id"] = 7, ["method"] = "tools/call", ["params"] = parameters }.ToJsonString(), Encoding.UTF8, "application/json");
        return request;
    }
}
