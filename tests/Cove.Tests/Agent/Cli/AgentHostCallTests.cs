using System.Text.Json;
using System.Text.Json.Nodes;
using Cove.Agent.Loop;
using Cove.Agent.Permissions;
using Cove.Agent.Transcripts;
using Cove.Cli.Agents;
using Cove.Cli.Running;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Agent.Cli;

/// <summary>Tools of named files in the hands of the code that a model writes: declared HTTP tools and an MCP server's, both real, before a Cove without sandboxes.</summary>
public sealed class AgentHostCallTests : IAsyncLifetime
{
    private const string Token = "tOken/+\"that'nobody\\sees";
    private const string Script = """
        turns:
          - calls:
              - tool: run_python
                input: { code: "await tools.it(a='x')" }
          - text: Done.
        """;

    private readonly TemporaryDirectory _place = new();
    private readonly FakeCove _cove = new();
    private FakeApi _api = null!;
    private HostAnswer? _answer;

    private string Transcript => Path.Combine(_place.Path, "out.jsonl");

    public async ValueTask InitializeAsync()
    {
        _api = await FakeApi.StartAsync();
        _api.Answer = (request, context) => FakeApi.Json(context, 200, JsonSerializer.Serialize(new { echo = request.Headers["Authorization"], price = 2.5 }));
        _cove.Run = async run => _answer = await run.CallAsync("it", """{"a":"x"}""");
    }

    public async ValueTask DisposeAsync()
    {
        await _api.DisposeAsync();
        _place.Dispose();
    }

    [Fact]
    public async Task A_declared_tool_answers_the_code_and_the_call_is_shown_and_written_down_without_the_secret()
    {
        var (exitCode, _, error) = await RunAsync();

        Assert.Equal(0, exitCode);
        Assert.Equal(2.5, _answer!.Result.GetProperty("result").GetProperty("price").GetDouble());
        Assert.Equal("Bearer " + Token, Assert.Single(_api.Requests).Headers["Authorization"]);
        Assert.Contains("⇢ it {\"a\":\"x\"} ✓", error, StringComparison.Ordinal);
        var lines = await LinesAsync();
        var call = Assert.Single(lines.OfType<HostCallLine>());
        Assert.Equal(("it", "x", null, "call_1"), (call.Name, call.Input!.Value.GetProperty("a").GetString(), call.Error, call.Id));
        Assert.Equal(lines.OfType<ToolLine>().Single().Id, call.ToolUseId);
        Assert.Single(lines.Select(line => line.CorrelationId).Distinct());
        Assert.DoesNotContain("nobody", error + _answer.Result + await File.ReadAllTextAsync(Transcript), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_rule_refuses_the_code_may_not_do_either()
    {
        var (_, _, error) = await RunAsync(request => request with { Options = new AgentOptions { Rules = new ToolRules(deny: ["it"], mode: PermissionMode.BypassPermissions) } });

        Assert.Equal("policy", _answer!.Error!.Category);
        Assert.Empty(_api.Requests);
        Assert.Contains("⇢ it {\"a\":\"x\"} ✗ policy: The rule it refuses it.", error, StringComparison.Ordinal);
        Assert.Equal("policy", Assert.Single((await LinesAsync()).OfType<HostCallLine>()).Error);
    }

    [Theory]
    [InlineData("y\ny\n", true)]
    [InlineData("y\nnot to them\n", false)]
    public async Task Ask_asks_about_calls_of_code_with_the_whole_call_above(string typed, bool called)
    {
        var (_, _, error) = await RunAsync(request => request with { Ask = true }, typed);

        Assert.Contains("▶ run_python\n  await tools.it(a='x')\ncove: run run_python? [y/N, or say why not] ", error, StringComparison.Ordinal);
        Assert.Contains("⇢ it, called by the code\n  {\"a\":\"x\"}\ncove: run it? [y/N, or say why not] ", error, StringComparison.Ordinal);
        Assert.Equal(called, _answer!.Error is null);
        Assert.Equal(called ? 1 : 0, _api.Requests.Count);
        Assert.Contains(called ? "" : "not to them", _answer.Error?.Message ?? "", StringComparison.Ordinal);
    }

    [Fact]
    public async Task Json_with_ask_shows_the_questions_with_their_calls_and_nothing_else()
    {
        var (_, output, error) = await RunAsync(request => request with { Ask = true, Json = true }, "y\ny\n");

        Assert.Equal("Done.", JsonDocument.Parse(output).RootElement.GetProperty("answer").GetString());
        Assert.Contains("▶ run_python\n  await tools.it(a='x')\n", error, StringComparison.Ordinal);
        Assert.DoesNotContain("✓", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_tools_of_an_MCP_server_are_the_models_and_its_codes()
    {
        await using var server = await AccessServer.StartAsync(_cove);
        var servers = await ServersAsync(server);
        var script = """
            turns:
              - calls:
                  - tool: mcp__cove__list_sandboxes
                    input: {}
                  - tool: run_python
                    input: { code: "await tools.mcp__cove__list_sandboxes()" }
              - text: Done.
            """;
        _cove.Run = async run => _answer = await run.CallAsync("mcp__cove__list_sandboxes", "{}");

        var (exitCode, _, _) = await RunAsync(request => request with { ServerFiles = [servers] }, script: script);

        Assert.Equal(0, exitCode);
        Assert.Equal(JsonValueKind.Array, _answer!.Result.GetProperty("sandboxes").ValueKind);
        var lines = await LinesAsync();
        Assert.Equal("mcp__cove__list_sandboxes", Assert.Single(lines.OfType<HostCallLine>()).Name);
        Assert.All(lines.OfType<ToolLine>(), line => Assert.Null(line.Error));
    }

    [Fact]
    public async Task Two_tools_of_one_name_and_a_server_that_is_not_there_are_refused_before_anything_is_made()
    {
        var twice = Path.Combine(_place.Path, "twice.yaml");
        await File.WriteAllTextAsync(twice, (await DeclarationAsync()).Replace("name: it", "name: bash", StringComparison.Ordinal));
        var away = Path.Combine(_place.Path, "away.json");
        await File.WriteAllTextAsync(away, """{"mcpServers":{"away":{"url":"http://127.0.0.1:1/"}}}""");

        var name = await Assert.ThrowsAsync<CoveException>(() => RunAsync(request => request with { ToolFiles = [twice] }));
        var server = await Assert.ThrowsAsync<CoveException>(() => RunAsync(request => request with { ServerFiles = [away] }));

        Assert.Contains("'bash'", name.Message, StringComparison.Ordinal);
        Assert.Contains("'away'", server.Message, StringComparison.Ordinal);
        Assert.Empty(_cove.Sandboxes);
    }

    private async Task<string> ServersAsync(AccessServer server)
    {
        var path = Path.Combine(_place.Path, "servers.json");
        var entry = new JsonObject { ["url"] = server.Http.BaseAddress + "mcp", ["headers"] = new JsonObject { ["Authorization"] = "Bearer " + await server.KeyAsync("alpha") } };
        await File.WriteAllTextAsync(path, new JsonObject { ["mcpServers"] = new JsonObject { ["cove"] = entry } }.ToJsonString());
        return path;
    }

    private Task<string> DeclarationAsync() => Task.FromResult(ToolBench.Tool(
        $"method: POST\nurl: {_api.Address}/x\nheaders: {{Authorization: 'Bearer ${{secret:AGENT_TEST_TOKEN}}'}}\nbody: {{a: '{{a}}'}}",
        "{type: object, required: [a], properties: {a: {type: string}}}"));

    private async Task<List<TranscriptLine>> LinesAsync()
    {
        await using var file = File.OpenRead(Transcript);
        return await TranscriptReader.ReadAsync(file).ToListAsync();
    }

    private async Task<(int ExitCode, string Output, string Error)> RunAsync(Func<AgentRequest, AgentRequest>? change = null, string typed = "", string script = Script)
    {
        string Write(string name, string text)
        {
            var path = Path.Combine(_place.Path, name);
            File.WriteAllText(path, text);
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            return path;
        }

        var model = "scripted:" + Write("script.yaml", script);
        var request = new AgentRequest
        {
            ReadQuestion = () => "What is it?",
            Sandbox = new SandboxRequest(),
            ChooseModel = () => ModelChoice.Make(model, null, null, null, _ => null),
            Options = new AgentOptions(),
            ToolFiles = [Write("tools.yaml", await DeclarationAsync())],
            SecretsFile = Write("secrets", "AGENT_TEST_TOKEN=" + Token + "\n"),
            Transcript = Transcript,
        };
        var (output, error) = (Path.Combine(_place.Path, "stdout"), Path.Combine(_place.Path, "stderr"));
        int exitCode;
        using (var outFile = new FileStream(output, FileMode.Create))
        using (var errorFile = new FileStream(error, FileMode.Create))
        {
            await using var session = new AgentSession(change?.Invoke(request) ?? request, TimeProvider.System)
            {
                Screen = new Screen((int)outFile.SafeFileHandle.DangerousGetHandle(), (int)errorFile.SafeFileHandle.DangerousGetHandle()), Answers = new StringReader(typed),
            };
            await session.PrepareAsync();
            exitCode = await session.RunAsync(_cove, await _cove.CreateSandboxAsync(request.Sandbox));
        }

        return (exitCode, await File.ReadAllTextAsync(output), await File.ReadAllTextAsync(error));
    }
}
