using System.Text;
using System.Text.Json;
using Cove.Agent.Loop;
using Cove.Agent.Models;
using Cove.Agent.Tools;
using Cove.Agent.Transcripts;
using Cove.Tests.Support;
using Microsoft.Extensions.AI;
using Xunit;
using static Cove.Tests.Support.FakeModel;

namespace Cove.Tests.Agent.Transcripts;

/// <summary>A conversation that is gone on with from its transcript.</summary>
public sealed class TranscriptConversationTests : IDisposable
{
    private readonly TemporaryDirectory _place = new();

    public void Dispose() => _place.Dispose();

    [Fact]
    public async Task What_goes_to_the_model_again_is_what_was_said()
    {
        using var model = new FakeModel()
            .Then(Text("I look."), Call(Tool("t1", "look", ("a", 1), ("b", "it's \"x\""))), Call(Tool("t2", "fail")), Stop("tool_use"))
            .Says("Done.");
        var path = Path.Combine(_place.Path, "out.jsonl");
        AgentResult? result = null;
        await using (var writer = TranscriptWriter.Create(path, TimeProvider.System))
        {
            await foreach (var next in new AgentLoop(model, [FakeTool.Says("look", "seen"), FakeTool.Fails("fail", ToolErrorCategory.Exception)]).StreamAsync("Look."))
            {
                await writer.WriteAsync(next);
                result = (next as AgentCompleted)?.Result ?? result;
            }
        }

        await using var file = File.OpenRead(path);
        var read = await TranscriptConversation.ReadAsync(file, TestContext.Current.CancellationToken);
        Assert.Equal(4, read.Count);
        Assert.Equal(OnTheWire(result!.Messages), OnTheWire(read));
    }

    [Fact]
    public async Task A_call_that_was_never_answered_is_answered_and_a_line_that_was_cut_is_left_out()
    {
        var read = await ReadAsync(
            """{"type":"start","time":"2026-01-01T00:00:00Z","correlation_id":"c","version":1}""",
            Message("user", """{"type":"text","text":"Look."}"""),
            Message("assistant", """{"type":"reasoning","text":"Hm."},{"type":"tool_use","id":"t1","name":"look","input":{"a":1}},{"type":"tool_use","id":"t2","name":"look"}"""),
            Message("tool", """{"type":"tool_result","id":"t1","content":[{"type":"text","text":"seen"},{"type":"data","media_type":"image/png","size_bytes":12}]},{"type":"tool_result","id":"t9","content":[]}"""),
            """{"type":"mess""");
        Assert.Equal(
            """
            [{"role":"user","content":[{"type":"text","text":"Look."}]},
            {"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"look","input":{"a":1}},{"type":"tool_use","id":"t2","name":"look","input":{}}]},
            {"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"seen"},{"type":"text","text":"[image/png, 12 bytes: not in the transcript]"}]},
            {"type":"tool_result","tool_use_id":"t2","content":[{"type":"text","text":"Not known: the conversation ended before the result was written down."}],"is_error":true}]}]
            """.ReplaceLineEndings(""),
            OnTheWire(read));
    }

    [Fact]
    public async Task Calls_and_results_stand_only_where_they_can()
    {
        var read = await ReadAsync(
            Message("user", """{"type":"tool_use","id":"t1","name":"look"},{"type":"tool_result","id":"t1"},{"type":"text","text":"Look."}"""),
            Message("assistant", """{"type":"tool_use","id":"t1","name":"look"},{"type":"tool_use","id":"t1","name":"look"},{"type":"block","input":{"type":"odd"}}"""),
            Message("user", """{"type":"text","text":"And?"}"""));
        Assert.Equal(["TextContent", "FunctionCallContent", "FunctionResultContent", "TextContent"], read.SelectMany(message => message.Contents).Select(content => content.GetType().Name));
    }

    [Theory]
    [InlineData("no message")]
    [InlineData("said by 'robot?[31m'", """{"type":"message","role":"robot\u001b[31m","content":[]}""")]
    [InlineData("form is 2", """{"type":"start","version":2}""")]
    [InlineData("Line 1", """{"type":"message","role":"user"}""")]
    [InlineData("Line 1", """{"type":"message","role":"user","content":null}""")]
    [InlineData("Line 1", """{"type":"message","role":null,"content":[]}""")]
    [InlineData("no message", """{"type":"message","role":"user","content":[null]}""")]
    [InlineData("Line 2", """{"type":"start","version":1}""", "[]")]
    [InlineData("no text", """{"type":"message","role":"assistant","content":[{"type":"tool_use","id":"a","name":"b","input":{"\ud800":1}}]}""")]
    public async Task What_is_no_conversation_is_said_to_be_none(string why, params string[] lines) =>
        Assert.Contains(why, (await Assert.ThrowsAsync<FormatException>(() => ReadAsync(lines))).Message, StringComparison.Ordinal);

    private static string Message(string role, string blocks) => $$"""{"type":"message","time":"2026-01-01T00:00:00Z","correlation_id":"c","role":"{{role}}","content":[{{blocks}}]}""";

    /// <summary>All lines but a cut one have an end.</summary>
    private static async Task<IReadOnlyList<ChatMessage>> ReadAsync(params string[] lines)
    {
        using var file = new MemoryStream(Encoding.UTF8.GetBytes(string.Concat(lines.Select(line => line[^1] is '}' or ']' ? line + "\n" : line))));
        return await TranscriptConversation.ReadAsync(file, TestContext.Current.CancellationToken);
    }

    private static string OnTheWire(IReadOnlyList<ChatMessage> messages)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = ModelJson.Encoder }))
        {
            AnthropicMessages.Write(json, messages);
        }

        return Encoding.UTF8.GetString(buffer.ToArray());
    }
}
