using System.Diagnostics;
using System.Text.Json.Nodes;
using Cove.ScriptedModel;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Mcp.Published;

/// <summary>A published host, as people install it, works with this server from end to end: with a model that does as it is told, and no way out of this machine.</summary>
public sealed class ClaudeCodeTests(LiveEngine live)
{
    private const string Script = """
        turns:
          - expect: {tools: {include: [mcp__cove__create_sandbox, mcp__cove__run_code, mcp__cove__list_sandboxes]}}
            calls:
              - {tool: mcp__cove__create_sandbox, as: made, input: {}}
          - capture: {id: {of: made, path: sandbox_id}}
            calls:
              - {tool: mcp__cove__run_code, as: ran, input: {sandbox_id: "{{id}}", code: "print(sum(range(1, 101)))"}}
          - capture: {sum: {of: ran, path: stdout, matches: '(\d+)'}}
            calls:
              - {tool: mcp__cove__close_sandbox, input: {sandbox_id: "{{id}}"}}
          - text: The sum is {{sum}}.
        """;

    private static readonly TimeSpan _patience = TimeSpan.FromMinutes(5);

    [Theory]
    [InlineData("auto")]
    [InlineData("legacy")]
    public async Task It_makes_a_sandbox_runs_code_reads_the_result_and_answers(string negotiation)
    {
        var packages = NodePackages.Require();
        await using var server = await AccessServer.StartAsync(await live.GetAsync());
        await using var model = await ScriptedModelServer.StartTextAsync(Script, TimeProvider.System);
        using var home = new TemporaryDirectory();
        await using var place = new LoopbackAlone(home.Path, server.Http.BaseAddress!, new Uri(model.BaseUrl));
        var key = await server.KeyAsync("claude");
        var config = Path.Combine(home.Path, "mcp.json");
        await File.WriteAllTextAsync(config, new JsonObject
        {
            ["mcpServers"] = new JsonObject { ["cove"] = new JsonObject { ["type"] = "http", ["url"] = server.Http.BaseAddress + "mcp", ["headers"] = new JsonObject { ["Authorization"] = "Bearer ${COVE_KEY}" } } },
        }.ToJsonString());
        var command = place.Command(
            packages.Claude, "-p", "What is the sum of 1 to 100? Use the tools.", "--output-format", "json", "--mcp-config", config, "--strict-mcp-config", "--setting-sources", "user",
            "--allowedTools", "mcp__cove__create_sandbox,mcp__cove__run_code,mcp__cove__close_sandbox", "--tools", "", "--max-turns", "8");
        var start = new ProcessStartInfo(command[0], command[1..]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, WorkingDirectory = home.Path };
        Furnish(start, home.Path, model.BaseUrl, key, negotiation);

        var (code, output) = await NodePackages.RunAsync(start, _patience);
        Assert.True(code == 0 && output.Contains("The sum is 5050.", StringComparison.Ordinal), string.Join('\n', model.Problems.Select(problem => problem.Message).Prepend(output)));

        // Its sandbox was its key's, and it is gone.
        await Eventually.Holds(async () =>
        {
            using var left = await server.SendAsync("GET", "/v1/sandboxes", key);
            return (await left.Content.ReadAsStringAsync()).Contains("\"sandboxes\":[]", StringComparison.Ordinal);
        }, "its sandbox is listed no more");
    }

    /// <summary>An environment of its own: nothing of the one who runs the tests, a key that is none, and nothing said to anybody.</summary>
    private static void Furnish(ProcessStartInfo start, string home, string model, string key, string negotiation)
    {
        start.Environment.Clear();
        var environment = new Dictionary<string, string>
        {
            ["PATH"] = "/usr/local/bin:/usr/bin:/bin", ["HOME"] = home, ["TMPDIR"] = home, ["CLAUDE_CONFIG_DIR"] = Path.Combine(home, "config"), ["CLAUDE_CODE_TMPDIR"] = home, ["LANG"] = "C.UTF-8",
            ["ANTHROPIC_BASE_URL"] = model, ["ANTHROPIC_API_KEY"] = "sk-none-of-anybodys", ["CLAUDE_CODE_MAX_RETRIES"] = "1",
            ["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"] = "1", ["CLAUDE_CODE_ENABLE_TELEMETRY"] = "0", ["DISABLE_TELEMETRY"] = "1", ["DISABLE_ERROR_REPORTING"] = "1", ["DISABLE_AUTOUPDATER"] = "1", ["DO_NOT_TRACK"] = "1",
            ["ENABLE_TOOL_SEARCH"] = "false", ["MCP_PROTOCOL_NEGOTIATION"] = negotiation, ["COVE_KEY"] = key,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }
    }
}
