using System.Globalization;
using System.Text.Json;
using Anthropic;
using Anthropic.Exceptions;
using Anthropic.Helpers;
using Anthropic.Models.Messages;
using Cove.ScriptedModel;
using Xunit;

namespace Cove.Tests.ScriptedModel;

/// <summary>Anthropic's own SDK reads what the scripted model says, and checks every member of it.</summary>
public sealed class SdkTests
{
    public static TheoryData<string> Reasons => ["end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal", "model_context_window_exceeded"];

    [Theory]
    [MemberData(nameof(Reasons))]
    public async Task Every_stop_reason_is_read(string reason)
    {
        await using var server = await StartAsync($"turns: [{{text: some words, stop_reason: {reason}, thinking: hm, blocks: [{{type: redacted_thinking, data: abc}}]}}]");
        using var client = Client(server);
        var whole = await client.Messages.Create(Ask(), TestContext.Current.CancellationToken);
        whole.Validate();
        Assert.Equal(reason, whole.StopReason!.Raw());
        Assert.Equal(reason == "refusal", whole.StopDetails is not null);

        var aggregator = new MessageContentAggregator();
        await foreach (var next in client.Messages.CreateStreaming(Ask(), TestContext.Current.CancellationToken).CollectAsync(aggregator))
        {
            next.Validate();
        }

        var streamed = aggregator.Message();
        Assert.Equal(reason, streamed.StopReason!.Raw());
        Assert.Equal(whole.Content.Count, streamed.Content.Count);
        Assert.Equal(whole.Usage.OutputTokens, streamed.Usage.OutputTokens);
    }

    [Fact]
    public async Task Blocks_of_every_kind_are_read()
    {
        await using var server = await StartAsync("""
            turns:
              - text: a text
                calls:
                  - {tool: run_python, input: {code: "print(1)"}}
                  - {tool: run_python, input: {code: "print(2)"}}
                blocks:
                  - {type: server_tool_use, id: srvtoolu_1, name: bash_code_execution, input: {command: ls}, caller: {type: direct}}
                  - type: bash_code_execution_tool_result
                    tool_use_id: srvtoolu_1
                    content: {type: bash_code_execution_result, stdout: "a\n", stderr: "", return_code: 0, content: [{type: bash_code_execution_output, file_id: file_1}]}
                stop_details: {category: cyber, explanation: no}
                container: {id: container_1, expires_at: "2026-12-01T00:00:00Z", skills: null}
                usage: {cache_read_input_tokens: 5, output_tokens_details: {thinking_tokens: 3}, server_tool_use: {web_search_requests: 1, web_fetch_requests: 0}}
            """);
        using var client = Client(server);
        var aggregator = new MessageContentAggregator();
        await foreach (var next in client.Messages.CreateStreaming(Ask(), TestContext.Current.CancellationToken).CollectAsync(aggregator))
        {
            next.Validate();
        }

        var codes = aggregator.Message().Content.Select(b => b.TryPickToolUse(out var use) ? use.Input["code"].GetString() : null).OfType<string>();
        Assert.Equal(["print(1)", "print(2)"], codes);
        var whole = await client.Messages.Create(Ask(), TestContext.Current.CancellationToken);
        Assert.Equal("container_1", whole.Container!.ID);
        Assert.Equal(5, whole.Usage.CacheReadInputTokens);
    }

    [Fact]
    public async Task Faults_are_the_sdks_exceptions_and_its_retries_get_through_them()
    {
        await using var server = await StartAsync("""
            turns:
              - faults: [{error: rate_limit_error, retry_after: 0}, {error: overloaded_error}, {error: authentication_error}, {error: api_error, retry_after: 0, times: 2}]
                text: fine
            """);
        using var client = Client(server);
        await Assert.ThrowsAsync<AnthropicRateLimitException>(() => client.Messages.Create(Ask()));
        var overloaded = await Assert.ThrowsAnyAsync<AnthropicApiException>(() => client.Messages.Create(Ask()));
        Assert.Equal(529, (int)overloaded.StatusCode);
        await Assert.ThrowsAsync<AnthropicUnauthorizedException>(() => client.Messages.Create(Ask()));
        using var patient = new AnthropicClient { BaseUrl = server.BaseUrl, ApiKey = "any", MaxRetries = 3, ResponseValidation = true };
        var message = await patient.Messages.Create(Ask());
        Assert.Equal("end_turn", message.StopReason!.Raw());
        Assert.Equal([429, 529, 401, 500, 500, 200], server.Requests.Select(r => r.Status));
    }

    [Fact]
    public async Task The_models_and_the_count_of_tokens_are_read()
    {
        await using var server = await StartAsync("turns: [{text: fine}]");
        using var client = Client(server);
        var count = await client.Messages.CountTokens(new MessageCountTokensParams { Model = "m", Messages = [new UserMessageParam("hello")] });
        Assert.True(count.InputTokens > 0, count.InputTokens.ToString(CultureInfo.InvariantCulture));
        var page = await client.Models.List();
        Assert.Equal("claude-opus-5-5", page.Items[0].ID);
    }

    private static Task<ScriptedModelServer> StartAsync(string script) => ScriptedModelServer.StartTextAsync(script, TimeProvider.System, "sdk.yaml", TestContext.Current.CancellationToken);

    private static AnthropicClient Client(ScriptedModelServer server) => new() { BaseUrl = server.BaseUrl, ApiKey = "any", MaxRetries = 0, ResponseValidation = true };

    private static MessageCreateParams Ask() => new()
    {
        Model = "claude-opus-5-5",
        MaxTokens = 512,
        Messages = [new UserMessageParam("hi")],
        Tools = [new Tool { Name = "run_python", InputSchema = new InputSchema { Properties = new Dictionary<string, JsonElement>() } }],
    };
}
