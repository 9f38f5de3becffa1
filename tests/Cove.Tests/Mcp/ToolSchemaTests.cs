using System.Text.Json.Nodes;
using Cove.Tests.Support;
using NJsonSchema;
using Xunit;

namespace Cove.Tests.Mcp;

/// <summary>What a tool answers is what it says it answers: hosts that check it would otherwise turn every success into a failure.</summary>
public sealed class ToolSchemaTests(LiveEngine live) : IAsyncLifetime
{
    private FrontDoor _server = null!;
    private McpTalk _talk = null!;
    private Dictionary<string, JsonSchema> _schemas = [];
    private readonly HashSet<string> _checked = [];

    public async ValueTask InitializeAsync()
    {
        _server = await FrontDoor.StartAsync(await live.GetAsync());
        _talk = new McpTalk(_server.Http);
        var tools = (await _talk.AskAsync("tools/list")).Result["tools"]!.AsArray();
        foreach (var tool in tools)
        {
            _schemas[tool!["name"]!.GetValue<string>()] = await JsonSchema.FromJsonAsync(tool["outputSchema"]!.ToJsonString());
        }
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Every_tools_real_answers_satisfy_its_own_output_schema()
    {
        var made = await CheckedAsync("create_sandbox", [], error: false);
        var id = made["sandbox_id"]!.GetValue<string>();
        JsonObject In(params (string Name, JsonNode? Value)[] more) => Arguments([("sandbox_id", id), .. more]);

        await CheckedAsync("create_sandbox", Arguments(("template", "nothing")), error: true);
        await CheckedAsync("create_sandbox", Arguments(("memory_mib", 1)), error: true);
        await CheckedAsync("run_code", Arguments(("code", "1+1")), error: false);
        await CheckedAsync("run_code", In(("code", "print('x' * 40_000)")), error: false);
        await CheckedAsync("run_code", In(("code", "1/0")), error: false);
        await CheckedAsync("run_code", In(("code", "while True: pass"), ("timeout_seconds", 0.3)), error: true);
        await CheckedAsync("run_code", In(("code", "open('/workspace/a.csv', 'w').write('a,b')\nimport matplotlib.pyplot as p\np.plot([1, 2])\nNone")), error: false);
        await CheckedAsync("run_code", In(("code", "import os; os.kill(os.getpid(), 9)")), error: null);
        await CheckedAsync("run_code", Arguments(("code", "1"), ("sandbox_id", "Z")), error: true);
        await CheckedAsync("run_code", Arguments(("code", "1"), ("sandbox_id", "nosuchsandbox")), error: true);
        await CheckedAsync("run_code", [], error: true);
        await CheckedAsync("run_code", Arguments(("code", null)), error: true);
        await CheckedAsync("run_command", In(("command", "echo hi; exit 7")), error: false);
        await CheckedAsync("run_command", Arguments(("command", "cat"), ("stdin", "in")), error: false);
        await CheckedAsync("run_command", In(("command", "true"), ("timeout_seconds", 0)), error: true);
        await CheckedAsync("write_file", In(("path", "/workspace/ü b.bin"), ("content", "AAEC"), ("base64", true)), error: false);
        await CheckedAsync("write_file", In(("path", "/workspace/x"), ("content", "?"), ("base64", true)), error: true);
        await CheckedAsync("read_file", In(("path", "/workspace/a.csv")), error: false);
        await CheckedAsync("read_file", In(("path", "/workspace/ü b.bin")), error: false);
        await CheckedAsync("read_file", In(("path", "/workspace/none")), error: true);
        await CheckedAsync("read_file", In(("path", "/workspace/a.csv"), ("offset", 99)), error: true);
        await CheckedAsync("list_files", In(), error: false);
        await CheckedAsync("list_files", In(("path", "/nowhere")), error: true);
        await CheckedAsync("list_files", In(("depth", 0)), error: true);
        await CheckedAsync("list_sandboxes", [], error: false);
        await CheckedAsync("list_sandboxes", Arguments(("cursor", "odd")), error: true);
        await CheckedAsync("close_sandbox", In(), error: false);
        await CheckedAsync("close_sandbox", Arguments(("sandbox_id", "nosuchsandbox")), error: true);
        await CheckedAsync("run_code", In(("code", "1")), error: true);
        Assert.Equal(_schemas.Keys.Order(StringComparer.Ordinal), _checked.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_schema_refuses_what_is_no_answer()
    {
        foreach (var schema in _schemas.Values)
        {
            Assert.NotEmpty(schema.Validate("{}"));
            Assert.NotEmpty(schema.Validate("[]"));
        }
    }

    private async Task<JsonNode> CheckedAsync(string tool, JsonObject arguments, bool? error)
    {
        var said = arguments.ToJsonString();
        var answer = await _talk.CallAsync(tool, arguments);
        var structured = answer.Structured.ToJsonString();
        var faults = _schemas[tool].Validate(structured);
        Assert.True(faults.Count == 0, $"{tool} {said} answers {structured}, where {string.Join("; ", faults)}");
        Assert.True(error is null || answer.IsError == error, $"{tool} {said} answers {answer.Last.ToJsonString()}");

        // Hosts show the one or the other.
        Assert.True(JsonNode.DeepEquals(answer.Structured, JsonNode.Parse(answer.Result["content"]![0]!["text"]!.GetValue<string>())));
        Assert.True(structured.Length < 25_000);
        _checked.Add(tool);
        return answer.Structured;
    }

    private static JsonObject Arguments(params (string Name, JsonNode? Value)[] all) => new(all.Select(pair => KeyValuePair.Create(pair.Name, pair.Value)));
}
