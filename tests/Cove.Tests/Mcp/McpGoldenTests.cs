using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Mcp;

/// <summary>What is on the wire is what was on the wire: a change of it is one of the protocol that hosts know.</summary>
public sealed partial class McpGoldenTests : IAsyncLifetime
{
    private readonly FakeCove _cove = new();
    private FrontDoor _server = null!;
    private McpTalk _talk = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await FrontDoor.StartAsync(_cove);
        _server.Http.DefaultRequestHeaders.Add("X-Correlation-Id", "golden-1");
        _talk = new McpTalk(_server.Http);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("discover", "server/discover", "{}")]
    [InlineData("tools", "tools/list", "{}")]
    [InlineData("templates", "resources/templates/list", "{}")]
    [InlineData("run", "tools/call", """{"name":"run_code","arguments":{"code":"print(1)"}}""")]
    [InlineData("created", "tools/call", """{"name":"create_sandbox","arguments":{}}""")]
    [InlineData("refused", "tools/call", """{"name":"run_code","arguments":{"cod":"print(1)"}}""")]
    [InlineData("unknown", "tools/call", """{"name":"nothing"}""")]
    public async Task Each_answer_is_as_it_was(string file, string method, string parameters)
    {
        _cove.Run = run =>
        {
            run.Print("1\n");
            run.Show(true, ("text/plain", "42"));
            return Task.CompletedTask;
        };
        var answer = await _talk.AskAsync(method, JsonNode.Parse(parameters)!.AsObject());
        var now = Id().Replace(answer.Last.ToJsonString(new JsonSerializerOptions { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }), "ID");
        var kept = Path.Combine(LiveEngine.Repository, "artifacts", "golden", "Mcp", file + ".json");
        Directory.CreateDirectory(Path.GetDirectoryName(kept)!);
        await File.WriteAllTextAsync(kept, now + "\n");
        var golden = Path.Combine(SourceTree.Root, "tests", "Cove.Tests", "Golden", "Mcp", file + ".json");
        Assert.True(File.Exists(golden) && await File.ReadAllTextAsync(golden) == now + "\n", $"{golden} is not what is answered now, which is in {kept}:\n{now}");
    }

    /// <summary>A sandbox's id is random.</summary>
    [GeneratedRegex("s[a-z2-9]{19}", RegexOptions.None, 1000)]
    private static partial Regex Id();
}
