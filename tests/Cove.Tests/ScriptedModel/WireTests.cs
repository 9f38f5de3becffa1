using System.Net.ServerSentEvents;
using System.Text.Json;
using Xunit;

namespace Cove.Tests.ScriptedModel;

/// <summary>Answers have the form of the version that was asked for, whole and as a stream.</summary>
public sealed class WireTests
{
    private const string User = """[{"role":"user","content":"hi"}]""";
    private const string Tool = "\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}]";
    private const string Script = """
        turns:
          - thinking: Let me think about it for a while.
            text: Here is a text that needs more than one piece to be told, with a 🐋 in it.
            calls:
              - {tool: f, input: {code: "print('a longer piece of code')", n: 1.5, yes: true, nothing: null}}
              - {tool: f}
            blocks:
              - {type: server_tool_use, id: srvtoolu_1, name: code_execution, input: {code: "1"}, caller: {type: direct}}
              - {type: code_execution_tool_result, tool_use_id: srvtoolu_1, content: {type: code_execution_result, stdout: "1", stderr: "", return_code: 0, content: []}}
            usage: {cache_read_input_tokens: 7, output_tokens: 99}
            container: {id: container_1, expires_at: "2026-12-01T00:00:00Z", skills: null}
            unknown_events: true
        """;

    [Theory]
    [InlineData(Talk.Newest, true)]
    [InlineData(Talk.Newest, false)]
    [InlineData(Talk.Before, true)]
    [InlineData(Talk.Before, false)]
    public async Task The_whole_answer_and_the_stream_say_the_same(string version, bool bearer)
    {
        await using var talk = await Talk.StartAsync(Script, version, bearer);
        var (status, whole) = await talk.AskAsync(Talk.Request(User, Tool), "/v1/messages?beta=true");
        Assert.Equal(200, status);
        var streamed = Assemble(await StreamAsync(talk, Talk.Request(User, Tool + ",\"stream\":true")));
        Assert.Equal(whole.GetRawText(), streamed.GetRawText());
        Assert.Equal("tool_use", whole.GetProperty("stop_reason").GetString());
        Assert.Equal(["thinking", "text", "tool_use", "tool_use", "server_tool_use", "code_execution_tool_result"], whole.GetProperty("content").EnumerateArray().Select(b => b.GetProperty("type").GetString()));
        Assert.Equal((7, 99), (whole.GetProperty("usage").GetProperty("cache_read_input_tokens").GetInt32(), whole.GetProperty("usage").GetProperty("output_tokens").GetInt32()));
    }

    [Fact]
    public async Task In_the_newest_version_every_member_is_there_and_null_when_it_has_nothing()
    {
        await using var talk = await Talk.StartAsync("turns: [{text: hi, calls: [{tool: f}]}]");
        var (_, newest) = await talk.AskAsync(Talk.Request(User, Tool));
        Assert.All(["container", "stop_details", "diagnostics", "stop_sequence"], name => Assert.Equal(JsonValueKind.Null, newest.GetProperty(name).ValueKind));
        Assert.Equal("direct", newest.GetProperty("content")[1].GetProperty("caller").GetProperty("type").GetString());
        Assert.Equal(JsonValueKind.Null, newest.GetProperty("usage").GetProperty("server_tool_use").ValueKind);

        talk.Http.DefaultRequestHeaders.Remove("anthropic-version");
        talk.Http.DefaultRequestHeaders.Add("anthropic-version", Talk.Before);
        var (_, before) = await talk.AskAsync(Talk.Request(User, Tool + ",\"temperature\":1"));
        Assert.All(["container", "stop_details", "diagnostics"], name => Assert.False(before.TryGetProperty(name, out _)));
        Assert.False(before.GetProperty("content")[1].TryGetProperty("caller", out _));
        Assert.False(before.GetProperty("usage").TryGetProperty("server_tool_use", out _));
    }

    [Fact]
    public async Task The_stream_has_the_events_of_the_api_in_their_order()
    {
        await using var talk = await Talk.StartAsync("turns: [{text: hello, piece_length: 3, calls: [{tool: f, raw_input: '{\"a\": '}, {tool: f}]}]");
        var events = await StreamAsync(talk, Talk.Request(User, Tool + ",\"stream\":true"));
        Assert.Equal(
            [
                "message_start", "ping", "content_block_start", "content_block_delta", "content_block_delta", "content_block_stop",
                "content_block_start", "content_block_delta", "content_block_delta", "content_block_delta", "content_block_stop",
                "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop",
            ],
            events.Select(e => e.EventType));
        Assert.All(events, e => Assert.Equal(e.EventType, e.Data.GetProperty("type").GetString()));
        Assert.Equal(["", "{\"a", "\": "], events[7..10].Select(e => e.Data.GetProperty("delta").GetProperty("partial_json").GetString()));
        Assert.Equal("{}", events[6].Data.GetProperty("content_block").GetProperty("input").GetRawText());
    }

    [Fact]
    public async Task Tokens_are_counted_and_models_listed()
    {
        await using var talk = await Talk.StartAsync("turns: [{text: hi}]");
        var (status, count) = await talk.AskAsync($$"""{"model":"m","messages":{{User}}}""", "/v1/messages/count_tokens");
        Assert.Equal(200, status);
        Assert.InRange(count.GetProperty("input_tokens").GetInt32(), 1, 20);
        var models = Talk.Parse(await talk.Http.GetStringAsync("/v1/models"));
        Assert.Equal("claude-opus-5-5", models.GetProperty("data")[0].GetProperty("id").GetString());
        Assert.Equal("any-model", Talk.Parse(await talk.Http.GetStringAsync("/v1/models/any-model")).GetProperty("id").GetString());
        var ids = talk.Server.Requests.Select(r => r.Path).ToArray();
        Assert.Equal(["/v1/messages/count_tokens", "/v1/models", "/v1/models/any-model"], ids);
    }

    private static async Task<List<SseItem<JsonElement>>> StreamAsync(Talk talk, string body)
    {
        using var response = await talk.PostAsync(body);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        Assert.StartsWith("req_", response.Headers.GetValues("request-id").Single(), StringComparison.Ordinal);
        await using var stream = await response.Content.ReadAsStreamAsync();
        return await SseParser.Create(stream, (_, data) => Talk.Parse(System.Text.Encoding.UTF8.GetString(data))).EnumerateAsync().ToListAsync();
    }

    /// <summary>What a client makes of the events.</summary>
    private static JsonElement Assemble(List<SseItem<JsonElement>> events)
    {
        var message = System.Text.Json.Nodes.JsonNode.Parse(events[0].Data.GetProperty("message").GetRawText())!.AsObject();
        var content = message["content"]!.AsArray();
        var json = new System.Text.StringBuilder();
        foreach (var next in events)
        {
            switch (next.EventType)
            {
                case "content_block_start":
                    content.Add(System.Text.Json.Nodes.JsonNode.Parse(next.Data.GetProperty("content_block").GetRawText()));
                    json.Clear();
                    break;
                case "content_block_delta":
                    var (delta, block) = (next.Data.GetProperty("delta"), content[^1]!.AsObject());
                    foreach (var name in new[] { "text", "thinking", "signature" }.Where(name => delta.TryGetProperty(name, out _)))
                    {
                        block[name] = (string)block[name]! + delta.GetProperty(name).GetString();
                    }

                    json.Append(delta.TryGetProperty("partial_json", out var piece) ? piece.GetString() : "");
                    break;
                case "content_block_stop" when json.Length > 0:
                    content[^1]!["input"] = System.Text.Json.Nodes.JsonNode.Parse(json.ToString());
                    break;
                case "message_delta":
                    foreach (var member in next.Data.GetProperty("delta").EnumerateObject())
                    {
                        message[member.Name] = System.Text.Json.Nodes.JsonNode.Parse(member.Value.GetRawText());
                    }

                    foreach (var member in next.Data.GetProperty("usage").EnumerateObject())
                    {
                        message["usage"]![member.Name] = System.Text.Json.Nodes.JsonNode.Parse(member.Value.GetRawText());
                    }

                    break;
            }
        }

        return Reordered(message);
    }

    /// <summary>A member that was null at the start and came at the end has its place at the end; the whole answer's order is what it has.</summary>
    private static JsonElement Reordered(System.Text.Json.Nodes.JsonObject message)
    {
        var usage = message["usage"]!.DeepClone();
        message.Remove("usage");
        if (message.Remove("diagnostics", out var diagnostics))
        {
            message["diagnostics"] = diagnostics;
        }

        message["usage"] = usage;
        return Talk.Parse(message.ToJsonString());
    }
}
