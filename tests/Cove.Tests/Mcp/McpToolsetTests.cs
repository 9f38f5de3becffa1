using System.Text.Json;
using System.Text.Json.Nodes;
using Cove.Agent.Mcp;
using Cove.Agent.Tools;
using Cove.Tests.Support;
using Microsoft.Extensions.AI;
using Xunit;

namespace Cove.Tests.Mcp;

/// <summary>Other servers' tools as ours: over HTTP and as a process, both the real thing.</summary>
public sealed class McpToolsetTests : IAsyncLifetime
{
    private readonly FakeCove _cove = new();
    private readonly TemporaryDirectory _directory = new();
    private AccessServer _server = null!;
    private string _key = "";

    public async ValueTask InitializeAsync()
    {
        _server = await AccessServer.StartAsync(_cove);
        _key = await _server.KeyAsync("alpha");
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _directory.Dispose();
    }

    [Fact]
    public async Task Tools_of_a_server_over_HTTP_are_functions_of_any_agent()
    {
        await using var toolset = await ConnectAsync(Http());
        Assert.Contains("mcp__cove__run_code", toolset.Tools.Select(tool => tool.Name));
        _cove.Run = run =>
        {
            run.Print(new string('x', 15_000));
            run.Show(false, ("image/png", "iVBORw0KGgo="));
            return Task.CompletedTask;
        };
        var result = await CallAsync(toolset, "run_code", new JsonObject { ["code"] = "print(1)" });
        Assert.Null(result.Error);
        Assert.Equal("ok", result.Structured!.Value.GetProperty("outcome").GetString());
        Assert.Single(result.Content.OfType<DataContent>());
        var invoked = (JsonElement)(await toolset.Tools.Single(tool => tool.Name == "mcp__cove__list_sandboxes").InvokeAsync(new AIFunctionArguments(), CancellationToken.None))!;
        Assert.Equal(JsonValueKind.Array, invoked.GetProperty("sandboxes").ValueKind);
    }

    [Fact]
    public async Task What_fails_there_is_an_error_here()
    {
        var other = await AccessServer.StartAsync(_cove);
        _key = await other.KeyAsync("alpha");
        await using var toolset = await ConnectAsync(Http(other));
        var result = await CallAsync(toolset, "run_code", new JsonObject { ["code"] = 1 });
        Assert.Equal(ToolErrorCategory.Exception, result.Error!.ErrorCategory);
        Assert.Contains("invalid_input", result.Error.Context, StringComparison.Ordinal);
        await other.DisposeAsync();
        Assert.Equal(ToolErrorCategory.Unavailable, (await CallAsync(toolset, "list_sandboxes", [])).Error!.ErrorCategory);
    }

    [Fact]
    public async Task Results_are_as_long_as_they_may_be_and_no_longer()
    {
        await using var toolset = await ConnectAsync(Http(), new McpToolsetOptions { MaxResultBytes = 1000, Variable = Variable });
        _cove.Run = run =>
        {
            run.Print(new string('ü', 4000));
            return Task.CompletedTask;
        };
        var result = await CallAsync(toolset, "run_code", new JsonObject { ["code"] = "x" });
        var text = string.Concat(result.Content.OfType<TextContent>().Select(content => content.Text));
        Assert.True(text.Length < 1100 && text.Contains("are left out here", StringComparison.Ordinal), text);
        Assert.Null(result.Structured);
    }

    [Fact]
    public async Task A_server_that_is_started_ends_with_the_toolset_and_leaves_no_sandbox()
    {
        var url = _server.Http.BaseAddress!.ToString().TrimEnd('/');
        var entry = new JsonObject
        {
            ["command"] = CoveProgram.Dotnet,
            ["args"] = new JsonArray(CoveProgram.Library, "mcp", "--server", url),
            ["env"] = new JsonObject { ["COVE_API_KEY"] = "${THE_KEY}", ["DOTNET_EnableDiagnostics"] = "0" },
        };
        await using (var toolset = await ConnectAsync(entry))
        {
            var made = await CallAsync(toolset, "create_sandbox", []);
            Assert.Null(made.Error);
            Assert.Single(_cove.Sandboxes);
        }

        await Eventually.Holds(() => _cove.Sandboxes.IsEmpty, "the sandbox it made is gone");
    }

    [Theory]
    [InlineData("""{"mcpServers":{"a__b":{"url":"http://127.0.0.1:1/"}}}""", "a__b")]
    [InlineData("""{"mcpServers":{"a":{"command":"./server"}}}""", "./server")]
    [InlineData("""{"mcpServers":{"a":{"url":"file:///etc/passwd"}}}""", "file:///etc/passwd")]
    [InlineData("""{"mcpServers":{"a":{"url":"http://127.0.0.1:1/","command":"x"}}}""", "'a'")]
    [InlineData("""{"mcpServers":{"a":{"url":"http://127.0.0.1:1/","headers":{"X":"${NOT_SET}"}}}}""", "NOT_SET")]
    [InlineData("""{"mcpServers":{"a":{"command":"no-such-program-anywhere"}}}""", "'a'")]
    [InlineData("""{"mcpServers":{"a":{"url":"http://127.0.0.1:1/"}}}""", "'a'")]
    [InlineData("{}", "names no servers")]
    [InlineData("nonsense", "servers.json")]
    public async Task What_is_wrong_with_the_file_is_said(string text, string named)
    {
        var path = Path.Combine(_directory.Path, "servers.json");
        await File.WriteAllTextAsync(path, text);
        var failure = await Assert.ThrowsAsync<CoveException>(() => McpToolset.ConnectAsync(path, new McpToolsetOptions { Variable = Variable }));
        Assert.Contains(named, failure.Error.Message, StringComparison.Ordinal);
    }

    private JsonObject Http(AccessServer? server = null) => new() { ["url"] = (server ?? _server).Http.BaseAddress + "mcp", ["headers"] = new JsonObject { ["Authorization"] = "Bearer ${THE_KEY}" } };

    private string? Variable(string name) => name == "THE_KEY" ? _key : name == "NOT_SET" ? null : Environment.GetEnvironmentVariable(name);

    private async Task<McpToolset> ConnectAsync(JsonObject entry, McpToolsetOptions? options = null)
    {
        var path = Path.Combine(_directory.Path, "servers.json");
        await File.WriteAllTextAsync(path, new JsonObject { ["mcpServers"] = new JsonObject { ["cove"] = entry } }.ToJsonString());
        return await McpToolset.ConnectAsync(path, options ?? new McpToolsetOptions { Variable = Variable });
    }

    private static Task<ToolResult> CallAsync(McpToolset toolset, string tool, JsonObject arguments)
    {
        var found = toolset.Tools.Single(t => t.Name == "mcp__cove__" + tool);
        return found.CallAsync(new ToolCall { Id = "1", Name = found.Name, Input = JsonSerializer.SerializeToElement(arguments) }, CancellationToken.None);
    }
}
