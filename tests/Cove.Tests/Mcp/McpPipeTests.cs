using System.IO.Pipelines;
using System.Text;
using System.Text.Json.Nodes;
using Cove.Cli.Mcp;
using Cove.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cove.Tests.Mcp;

/// <summary><c>cove mcp</c> without its process: lines in, lines out.</summary>
public sealed class McpPipeTests
{
    [Fact]
    public async Task Tools_work_over_a_pipe_and_what_they_made_ends_with_the_input()
    {
        var cove = new FakeCove();
        var (input, output) = (new Pipe(), new Pipe());
        var serving = new McpPipe(_ => ValueTask.FromResult<ICove>(cove), "1", NullLoggerFactory.Instance, TimeProvider.System).RunAsync(input.Reader.AsStream(), output.Writer.AsStream(), CancellationToken.None);
        using var answers = new StreamReader(output.Reader.AsStream());
        await SayAsync(input, """{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}""");
        Assert.Equal("cove", (await AnswerAsync(answers))["result"]!["serverInfo"]!["name"]!.GetValue<string>());
        await SayAsync(input, """{"jsonrpc":"2.0","method":"notifications/initialized"}""");

        for (var id = 2; id < 5; id++)
        {
            await SayAsync(input, """{"jsonrpc":"2.0","id":ID,"method":"tools/call","params":{"name":"create_sandbox","arguments":{}}}""".Replace("ID", $"{id}", StringComparison.Ordinal));
            Assert.NotNull((await AnswerAsync(answers))["result"]!["structuredContent"]!["sandbox_id"]);
        }

        // Another's sandbox, made elsewhere, is none of its business.
        var other = (await cove.CreateSandboxAsync(new SandboxRequest())).Id;
        await SayAsync(input, """{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"run_code","arguments":{"code":"1"}}}""");
        Assert.Equal("ok", (await AnswerAsync(answers))["result"]!["structuredContent"]!["outcome"]!.GetValue<string>());
        await input.Writer.CompleteAsync();
        await Eventually.Within(serving);
        Assert.Equal(other, Assert.Single(cove.Sandboxes.Keys));
    }

    [Fact]
    public async Task A_request_of_2026_needs_no_handshake()
    {
        var (input, output) = (new Pipe(), new Pipe());
        var serving = new McpPipe(_ => ValueTask.FromResult<ICove>(new FakeCove()), "1", NullLoggerFactory.Instance, TimeProvider.System).RunAsync(input.Reader.AsStream(), output.Writer.AsStream(), CancellationToken.None);
        using var answers = new StreamReader(output.Reader.AsStream());
        await SayAsync(input, new JsonObject { ["jsonrpc"] = "2.0", ["id"] = 1, ["method"] = "tools/list", ["params"] = new JsonObject { ["_meta"] = McpTalk.Meta() } }.ToJsonString());
        Assert.Equal(8, (await AnswerAsync(answers))["result"]!["tools"]!.AsArray().Count);
        await input.Writer.CompleteAsync();
        await Eventually.Within(serving);
    }

    private static async Task SayAsync(Pipe input, string message) => await input.Writer.WriteAsync(Encoding.UTF8.GetBytes(message + "\n"));

    private static async Task<JsonNode> AnswerAsync(StreamReader answers) => JsonNode.Parse((await Eventually.Within(answers.ReadLineAsync()))!)!;
}
