using System.Text.Json;
using System.Text.Json.Nodes;
using Cove.Agent.Loop;
using Cove.Agent.Models;
using Cove.Tests.Support;
using Microsoft.Extensions.AI;
using Xunit;

namespace Cove.Tests.Agent.Models;

/// <summary>The adapter's wire, request and answer, as the Messages API has it.</summary>
public sealed class AnthropicModelTests
{
    private const string Start = """{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-opus-5-5","content":[],"stop_reason":null,"usage":{"input_tokens":10,"cache_creation_input_tokens":5,"cache_read_input_tokens":100,"output_tokens":1}}}""";
    private const string End = """{"type":"message_stop"}""";

    [Fact]
    public async Task A_request_is_what_the_api_takes()
    {
        await using var api = await FakeMessagesApi.StartAsync(FakeMessagesApi.Stream(Answer("Hi.")));
        using var model = Create(api);

        await model.GetResponseAsync(
            [
                new(ChatRole.User, "What is 6*7?"),
                new(ChatRole.Assistant, [new TextContent("I compute."), FakeModel.Tool("toolu_1", "run_python", ("code", "6*7")), FakeModel.Tool("toolu_2", "draw")]),
                new(ChatRole.Tool, [new FunctionResultContent("toolu_1", new List<AIContent> { new TextContent("42"), new DataContent(new byte[] { 1, 2, 3 }, "image/png") }), new FunctionResultContent("toolu_2", new List<AIContent> { new TextContent("no"), new DataContent(new byte[] { 1, 2, 3 }, "image/png") }) { Exception = new InvalidOperationException() }]),
                new(ChatRole.User, "Answer now."),
            ],
            new ChatOptions { Instructions = "Be exact.", MaxOutputTokens = 512, ToolMode = ChatToolMode.None, Tools = [FakeTool.Says("run_python", "")], StopSequences = ["STOP"] });

        var (path, headers, body) = Assert.Single(api.Received);
        Assert.Equal("/v1/messages", path);
        Assert.Equal("Bearer test-key-12345", headers["authorization"]);
        Assert.Equal("2026-10-21", headers["anthropic-version"]);
        AssertJson(
            """
            {"model":"claude-test","max_tokens":512,"cache_control":{"type":"ephemeral"},"system":"Be exact.","stream":true,"stop_sequences":["STOP"],
             "tool_choice":{"type":"none"},"tools":[{"name":"run_python","description":"A tool of a test.","input_schema":{}}],
             "messages":[
               {"role":"user","content":[{"type":"text","text":"What is 6*7?"}]},
               {"role":"assistant","content":[{"type":"text","text":"I compute."},{"type":"tool_use","id":"toolu_1","name":"run_python","input":{"code":"6*7"}},{"type":"tool_use","id":"toolu_2","name":"draw","input":{}}]},
               {"role":"user","content":[
                 {"type":"tool_result","tool_use_id":"toolu_1","content":[{"type":"text","text":"42"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AQID"}}]},
                 {"type":"tool_result","tool_use_id":"toolu_2","content":[{"type":"text","text":"no"},{"type":"text","text":"[image/png, 3 bytes: not shown, because the call failed]"}],"is_error":true},
                 {"type":"text","text":"Answer now."}]}]}
            """,
            body);
    }

    [Fact]
    public async Task An_answer_comes_in_pieces_with_its_usage_and_its_stop_reason()
    {
        await using var api = await FakeMessagesApi.StartAsync(FakeMessagesApi.Stream(
            Start,
            """{"type":"ping"}""",
            """{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}""",
            """{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"It is "}}""",
            """{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"42."}}""",
            """{"type":"content_block_stop","index":0}""",
            """{"type":"some_future_event","index":0}""",
            Delta("end_turn", 20),
            End));
        using var model = Create(api);

        var updates = await model.GetStreamingResponseAsync([new(ChatRole.User, "?")]).ToListAsync();

        Assert.Equal(["It is ", "42."], updates.Select(u => u.Text).Where(t => t.Length > 0));
        Assert.Equal(ChatFinishReason.Stop, updates[^1].FinishReason);
        var used = updates.SelectMany(u => u.Contents).OfType<UsageContent>().Aggregate(default(TokenCount), (sum, usage) => sum + TokenCount.Of(usage.Details));
        Assert.Equal(new TokenCount(10, 20, 100, 5), used);
    }

    [Theory]
    [InlineData("end_turn")]
    [InlineData("tool_use")]
    [InlineData("max_tokens")]
    [InlineData("stop_sequence")]
    [InlineData("pause_turn")]
    [InlineData("refusal")]
    [InlineData("model_context_window_exceeded")]
    [InlineData("something_new")]
    public async Task No_stop_reason_is_lost(string reason)
    {
        await using var api = await FakeMessagesApi.StartAsync(FakeMessagesApi.Stream(Start, Delta(reason, 1), End));
        using var model = Create(api);

        var updates = await model.GetStreamingResponseAsync([new(ChatRole.User, "?")]).ToListAsync();

        Assert.Equal(reason, StopReasons.Of(updates[^1].FinishReason, hasCalls: false));
    }

    [Fact]
    public async Task A_refusal_says_why()
    {
        await using var api = await FakeMessagesApi.StartAsync(FakeMessagesApi.Stream(
            Start, """{"type":"message_delta","delta":{"stop_reason":"refusal","stop_details":{"category":"cyber","explanation":"Not this."}},"usage":{"output_tokens":3}}""", End));
        using var model = Create(api);

        var result = await new AgentLoop(model, []).RunAsync("?");

        Assert.Equal((AgentOutcome.Refused, "The model refused: cyber: Not this."), (result.Outcome, result.Reason));
    }

    [Fact]
    public async Task What_the_model_wrote_goes_back_unchanged_thinking_and_unknown_blocks_too()
    {
        const string Redacted = """{"type":"redacted_thinking","data":"b3BhcXVl"}""";
        const string Server = """{"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","input":{},"caller":{"type":"direct"}}""";
        await using var api = await FakeMessagesApi.StartAsync(
            FakeMessagesApi.Stream(
                Start,
                """{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}""",
                """{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Let me "}}""",
                """{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"see."}}""",
                """{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}}""",
                """{"type":"content_block_stop","index":0}""",
                $$"""{"type":"content_block_start","index":1,"content_block":{{Redacted}}}""",
                """{"type":"content_block_stop","index":1}""",
                $$"""{"type":"content_block_start","index":2,"content_block":{{Server}}}""",
                """{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"query\":"}}""",
                """{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"\"x\"}"}}""",
                """{"type":"content_block_stop","index":2}""",
                """{"type":"content_block_start","index":3,"content_block":{"type":"text","text":""}}""",
                """{"type":"content_block_stop","index":3}""",
                """{"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"toolu_1","name":"look","input":{},"caller":{"type":"direct"}}}""",
                """{"type":"content_block_delta","index":4,"delta":{"type":"input_json_delta","partial_json":""}}""",
                """{"type":"content_block_stop","index":4}""",
                Delta("tool_use", 9),
                End),
            FakeMessagesApi.Stream(Answer("ok")));
        using var model = Create(api);

        var result = await new AgentLoop(model, [FakeTool.Says("look", "seen")]).RunAsync("?");

        Assert.Equal((AgentOutcome.Answered, "ok"), (result.Outcome, result.Answer));
        var second = JsonNode.Parse(api.Received.ElementAt(1).Body)!["messages"]![1]!;
        AssertJson(
            """
            {"role":"assistant","content":[{"type":"thinking","thinking":"Let me see.","signature":"c2ln"},{"type":"redacted_thinking","data":"b3BhcXVl"},
             {"type":"server_tool_use","id":"srvtoolu_1","name":"web_search","caller":{"type":"direct"},"input":{"query":"x"}},
             {"type":"tool_use","id":"toolu_1","name":"look","caller":{"type":"direct"},"input":{}}]}
            """,
            second.ToJsonString());
    }

    [Fact]
    public async Task Input_that_is_no_json_is_answered_and_goes_back_in_a_form_the_api_takes()
    {
        await using var api = await FakeMessagesApi.StartAsync(
            FakeMessagesApi.Stream(
                Start,
                """{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"toolu_1","name":"look","input":{}}}""",
                """{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"a\": [1"}}""",
                """{"type":"content_block_stop","index":0}""",
                Delta("max_tokens", 9),
                End),
            FakeMessagesApi.Stream(Answer("ok")));
        using var model = Create(api);
        var tool = FakeTool.Says("look", "seen");

        var result = await new AgentLoop(model, [tool]).RunAsync("?");

        Assert.Equal((AgentOutcome.Answered, 0), (result.Outcome, tool.Calls));
        var messages = JsonNode.Parse(api.Received.ElementAt(1).Body)!["messages"]!;
        Assert.Equal("{\"a\": [1", (string?)messages[1]!["content"]![0]!["input"]!["INVALID_JSON"]);
        Assert.True((bool)messages[2]!["content"]![0]!["is_error"]!);
    }

    [Theory]
    [InlineData(400, "invalid_request_error", ModelFailureKind.BadRequest)]
    [InlineData(401, "authentication_error", ModelFailureKind.Authentication)]
    [InlineData(402, "billing_error", ModelFailureKind.Billing)]
    [InlineData(403, "permission_error", ModelFailureKind.Permission)]
    [InlineData(404, "not_found_error", ModelFailureKind.NotFound)]
    [InlineData(413, "request_too_large", ModelFailureKind.TooLarge)]
    [InlineData(429, "rate_limit_error", ModelFailureKind.SpendLimit)]
    [InlineData(500, "api_error", ModelFailureKind.Unavailable)]
    [InlineData(504, "timeout_error", ModelFailureKind.Unavailable)]
    [InlineData(529, "overloaded_error", ModelFailureKind.Overloaded)]
    public async Task An_error_has_its_kind_its_words_and_its_request_id(int status, string type, ModelFailureKind kind)
    {
        await using var api = await FakeMessagesApi.StartAsync(FakeMessagesApi.Error(
            status, $$$"""{"type":"error","error":{"type":"{{{type}}}","message":"Because."},"request_id":"req_1"}""", ("request-id", "req_1")));
        using var model = Create(api);

        var failure = await Assert.ThrowsAsync<ModelException>(() => model.GetResponseAsync([new(ChatRole.User, "?")]));

        Assert.Equal((kind, status, "req_1"), (failure.Failure.Kind, failure.Failure.Status, failure.Failure.RequestId));
        Assert.Contains("Because.", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("test-key-12345", failure.ToString(), StringComparison.Ordinal);
        Assert.Single(api.Received);
    }

    [Fact]
    public async Task A_rate_limit_says_when_to_come_back()
    {
        await using var api = await FakeMessagesApi.StartAsync(FakeMessagesApi.Error(429, "", ("retry-after", "7")));
        using var model = Create(api);

        var failure = await Assert.ThrowsAsync<ModelException>(() => model.GetResponseAsync([new(ChatRole.User, "?")]));

        Assert.Equal((ModelFailureKind.RateLimited, TimeSpan.FromSeconds(7)), (failure.Failure.Kind, failure.RetryAfter));
    }

    [Fact]
    public async Task An_answer_without_its_end_is_a_dropped_one()
    {
        await using var api = await FakeMessagesApi.StartAsync(FakeMessagesApi.Stream(Answer("half")[..3]));
        using var model = Create(api);

        var failure = await Assert.ThrowsAsync<ModelException>(() => model.GetResponseAsync([new(ChatRole.User, "?")]));

        Assert.True(failure.Retryable, failure.ToString());
    }

    [Fact]
    public async Task A_connection_that_breaks_can_be_tried_again()
    {
        await using var api = await FakeMessagesApi.StartAsync(FakeMessagesApi.Broken(Answer("half")[..3]));
        using var model = Create(api);

        var failure = await Assert.ThrowsAsync<ModelException>(() => model.GetResponseAsync([new(ChatRole.User, "?")]));

        Assert.True(failure.Retryable, failure.ToString());
    }

    [Theory]
    [InlineData("overloaded_error", ModelFailureKind.Overloaded, true)]
    [InlineData("invalid_request_error", ModelFailureKind.BadRequest, false)]
    [InlineData("never_heard_of", ModelFailureKind.Unavailable, true)]
    public async Task An_error_in_the_middle_of_a_stream_has_its_kind(string type, ModelFailureKind kind, bool retryable)
    {
        await using var api = await FakeMessagesApi.StartAsync(FakeMessagesApi.Stream(Start, $$$"""{"type":"error","error":{"type":"{{{type}}}","message":"Because."}}"""));
        using var model = Create(api);

        var failure = await Assert.ThrowsAsync<ModelException>(() => model.GetResponseAsync([new(ChatRole.User, "?")]));

        Assert.Equal((kind, retryable), (failure.Failure.Kind, failure.Retryable));
    }

    [Fact]
    public async Task What_is_no_stream_of_events_is_malformed()
    {
        await using var api = await FakeMessagesApi.StartAsync(async context =>
        {
            context.Response.ContentType = "text/event-stream";
            await context.Response.Body.WriteAsync("event: message_start\ndata: {nonsense\n\n"u8.ToArray());
        });
        using var model = Create(api);

        var failure = await Assert.ThrowsAsync<ModelException>(() => model.GetResponseAsync([new(ChatRole.User, "?")]));

        Assert.True(failure.Retryable, failure.ToString());
    }

    [Fact]
    public async Task The_key_goes_nowhere_an_answer_points_to()
    {
        await using var elsewhere = await FakeMessagesApi.StartAsync(FakeMessagesApi.Stream(Answer("stolen")));
        await using var api = await FakeMessagesApi.StartAsync(FakeMessagesApi.Error(307, "", ("location", elsewhere.Address + "v1/messages")));
        using var model = Create(api);

        await Assert.ThrowsAsync<ModelException>(() => model.GetResponseAsync([new(ChatRole.User, "?")]));

        Assert.Empty(elsewhere.Received);
    }

    [Fact]
    public async Task Nothing_listening_can_be_tried_again()
    {
        Uri gone;
        await using (var api = await FakeMessagesApi.StartAsync(FakeMessagesApi.Stream(End)))
        {
            gone = api.Address;
        }

        using var model = AnthropicModel.Create(new AnthropicModelOptions { BaseUrl = gone, ApiKey = "test-key-12345" });

        var failure = await Assert.ThrowsAsync<ModelException>(() => model.GetResponseAsync([new(ChatRole.User, "?")]));

        Assert.True(failure.Retryable, failure.ToString());
        Assert.Contains("Connection refused", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tool_may_be_declared_in_the_form_the_api_knows_it_by()
    {
        await using var api = await FakeMessagesApi.StartAsync(FakeMessagesApi.Stream(Answer("ok")));
        using var model = AnthropicModel.Create(new AnthropicModelOptions
        {
            BaseUrl = api.Address,
            AuthToken = "token-123456",
            ToolForm = tool => tool.Name == "bash" ? JsonElement.Parse("""{"type":"bash_20250124","name":"bash"}""") : null,
        });

        await model.GetResponseAsync([new(ChatRole.User, "?")], new ChatOptions { Tools = [FakeTool.Says("bash", ""), FakeTool.Says("look", "")] });

        var (_, headers, body) = Assert.Single(api.Received);
        Assert.Equal("Bearer token-123456", headers["authorization"]);
        Assert.Equal("bash_20250124", (string?)JsonNode.Parse(body)!["tools"]![0]!["type"]);
        Assert.NotNull(JsonNode.Parse(body)!["tools"]![1]!["input_schema"]);
    }

    [Theory]
    [InlineData("http://example.com")]
    [InlineData("ftp://127.0.0.1")]
    [InlineData("https://user:pass@example.com")]
    public void A_key_is_not_sent_in_the_clear(string address)
    {
        var refused = Assert.Throws<ArgumentException>(() => AnthropicModel.Create(new AnthropicModelOptions { BaseUrl = new Uri(address), ApiKey = "test-key-12345" }));

        Assert.Contains("BaseUrl", refused.Message, StringComparison.Ordinal);
    }

    internal static string[] Answer(string text) =>
    [
        Start,
        """{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}""",
        $$$"""{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":{{{JsonValue.Create(text).ToJsonString()}}}}}""",
        """{"type":"content_block_stop","index":0}""",
        Delta("end_turn", 7),
        End,
    ];

    private static string Delta(string reason, int output) =>
        $$$"""{"type":"message_delta","delta":{"stop_reason":"{{{reason}}}","stop_sequence":null},"usage":{"output_tokens":{{{output}}}}}""";

    private static IChatClient Create(FakeMessagesApi api) => AnthropicModel.Create(new AnthropicModelOptions { Model = "claude-test", BaseUrl = api.Address, ApiKey = "test-key-12345" });

    private static void AssertJson(string expected, string actual) =>
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected), JsonNode.Parse(actual)), actual);
}
