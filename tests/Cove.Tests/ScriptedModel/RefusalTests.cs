using Xunit;

namespace Cove.Tests.ScriptedModel;

/// <summary>What Anthropic refuses is refused here, in the same words.</summary>
public sealed class RefusalTests
{
    private const string User = """{"role":"user","content":"hi"}""";
    private const string Use = """{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{}}]}""";
    private const string Tool = "\"tools\":[{\"name\":\"f\",\"input_schema\":{\"type\":\"object\"}}]";

    public static TheoryData<string, string> Refused => new()
    {
        { "[]", "messages: at least one message is required" },
        { """[{"role":"assistant","content":"x"}]""", "first message must use the \"user\" role" },
        { """[{"role":"tool","content":"x"}]""", "messages.0.role: Input should be" },
        { """[{"role":"user"}]""", "messages.0.content: Field required" },
        { """[{"role":"user","content":5}]""", "messages.0.content: Input should be a valid string or list" },
        { """[{"role":"user","content":"x","name":"y"}]""", "messages.0.name: Extra inputs are not permitted" },
        { """[{"role":"user","content":""}]""", "all messages must have non-empty content" },
        { """[{"role":"user","content":[{"type":"text","text":""}]}]""", "text content blocks must be non-empty" },
        { """[{"role":"user","content":[{"type":"text","text":" \n"}]}]""", "must contain non-whitespace text" },
        { """[{"role":"user","content":[{"type":"txt"}]}]""", "messages.0.content.0: Input tag 'txt'" },
        { """[{"role":"user","content":[{"type":"text","text":"a","size":1}]}]""", "messages.0.content.0.text.size: Extra inputs are not permitted" },
        { """[{"role":"user","content":[{"type":"tool_use","id":"a","name":"f","input":{}}]}]""", "`tool_use` blocks can only be in `assistant` messages" },
        { $"[{User},{Use}]", "messages.1: `tool_use` ids were found without `tool_result` blocks immediately after: t1." },
        { $"[{User},{Use},{User}]", "`tool_use` ids were found without `tool_result` blocks immediately after: t1." },
        { $$"""[{{User}},{{Use}},{"role":"user","content":[{"type":"text","text":"first"},{"type":"tool_result","tool_use_id":"t1"}]}]""", "immediately after: t1." },
        { $$"""[{{User}},{{Use}},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1"},{"type":"tool_result","tool_use_id":"t2"}]}]""", "unexpected `tool_use_id` found in `tool_result` blocks: t2." },
        { $$"""[{{User}},{{Use}},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1"},{"type":"tool_result","tool_use_id":"t1"}]}]""", "Found multiple `tool_result` blocks with id: t1" },
        { $$"""[{{User}},{{Use}},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1"}]},{{Use}},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1"}]}]""", "`tool_use` ids must be unique" },
        { $$"""[{{User}},{{Use}},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","is_error":"yes"}]}]""", "tool_result.is_error: Input should be a valid boolean" },
        { $$$$"""[{{{{User}}}},{{{{Use}}}},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","is_error":true,"content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}}]}]}]""", "all content must be type \"text\" if `is_error` is true" },
        { """[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/svg+xml","data":"aaaa"}}]}]""", "media_type: Input should be 'image/jpeg'" },
        { """[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"%%"}}]}]""", "invalid base64 data" },
        { """[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"aaaa"}}]}]""", "does not match the provided media type" },
        { $$"""[{{User}},{"role":"assistant","content":"so "}]""", "final assistant content cannot end with trailing whitespace" },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task Messages_are_refused(string messages, string message)
    {
        await using var talk = await Talk.StartAsync("turns: [{text: never said}]");
        var (status, json) = await talk.AskAsync(Talk.Request(messages, Tool));
        Assert.Equal(400, status);
        Assert.Equal("error", json.GetProperty("type").GetString());
        Assert.Equal("invalid_request_error", json.GetProperty("error").GetProperty("type").GetString());
        Assert.Contains(message, json.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Empty(talk.Server.Problems);
    }

    [Theory]
    [InlineData("not json", "not valid JSON")]
    [InlineData("[]", "valid dictionary")]
    [InlineData("""{"messages":[],"max_tokens":1}""", "model: Field required")]
    [InlineData("""{"model":"m","max_tokens":1}""", "messages: Field required")]
    [InlineData("""{"model":"m","messages":[]}""", "max_tokens: Field required")]
    [InlineData("""{"model":"m","messages":[],"max_tokens":0}""", "max_tokens: Input should be greater")]
    [InlineData("""{"model":"m","messages":[],"max_tokens":1,"maxtokens":1}""", "maxtokens: Extra inputs are not permitted")]
    [InlineData("""{"model":"m","messages":[],"max_tokens":1,"temperature":1}""", "temperature: Extra inputs are not permitted")]
    [InlineData("""{"model":"m","messages":[],"max_tokens":1,"stream":1}""", "stream: Input should be a valid boolean")]
    [InlineData("""{"model":"m","messages":[],"max_tokens":1,"thread":{"type":"create"}}""", "message threads are not supported")]
    [InlineData("""{"model":"m","messages":[],"max_tokens":1,"tools":[{"input_schema":{"type":"object"}}]}""", "tools.0.custom.name: Field required")]
    [InlineData("""{"model":"m","messages":[],"max_tokens":1,"tools":[{"name":"a b","input_schema":{"type":"object"}}]}""", "tools.0.custom.name: String should match pattern")]
    [InlineData("""{"model":"m","messages":[],"max_tokens":1,"tools":[{"name":"a","parameters":{}}]}""", "tools.0.custom.parameters: Extra inputs are not permitted")]
    [InlineData("""{"model":"m","messages":[],"max_tokens":1,"tools":[{"name":"a"}]}""", "tools.0.custom.input_schema: Field required")]
    [InlineData("""{"model":"m","messages":[],"max_tokens":1,"tools":[{"name":"a","input_schema":{}}]}""", "input_schema.type: Field required")]
    [InlineData("""{"model":"m","messages":[],"max_tokens":1,"tools":[{"name":"a","input_schema":{"type":"object","oneOf":[]}}]}""", "does not support oneOf")]
    [InlineData("""{"model":"m","messages":[],"max_tokens":1,"tools":[{"name":"bash","type":"bash_20250124"},{"name":"bash","input_schema":{"type":"object"}}]}""", "Tool names must be unique")]
    [InlineData("""{"model":"m","messages":[],"max_tokens":1,"tool_choice":{"type":"auto"}}""", "may only be specified while providing tools")]
    [InlineData("""{"model":"m","messages":[],"max_tokens":1,"tools":[{"name":"bash","type":"bash_20250124"}],"tool_choice":{"type":"tool","name":"x"}}""", "Tool not found in provided tools")]
    public async Task Requests_are_refused(string body, string message)
    {
        await using var talk = await Talk.StartAsync("turns: [{text: never said}]");
        var (status, json) = await talk.AskAsync(body);
        Assert.Equal(400, status);
        Assert.Contains(message, json.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_history_with_tools_must_define_them()
    {
        await using var talk = await Talk.StartAsync("turns: [{text: never said}]");
        var messages = $$"""[{{User}},{{Use}},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1"}]}]""";
        Assert.Equal("400: Requests which include `tool_use` or `tool_result` blocks must define tools", await talk.TextAsync(messages));
    }

    [Fact]
    public async Task Who_names_no_key_or_no_version_is_refused()
    {
        await using var talk = await Talk.StartAsync("turns: [{text: hello}]");
        talk.Http.DefaultRequestHeaders.Authorization = null;
        var (status, json) = await talk.AskAsync(Talk.Request($"[{User}]"));
        Assert.Equal((401, "authentication_error"), (status, json.GetProperty("error").GetProperty("type").GetString()));
        talk.Http.DefaultRequestHeaders.Add("x-api-key", "k");
        talk.Http.DefaultRequestHeaders.Remove("anthropic-version");
        Assert.Equal("400: anthropic-version: header is required", await talk.TextAsync($"[{User}]"));
        talk.Http.DefaultRequestHeaders.Add("anthropic-version", "2030-01-01");
        Assert.StartsWith("400: anthropic-version: \"2030-01-01\" is not a valid version", await talk.TextAsync($"[{User}]"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Other_paths_methods_and_bodies_beyond_the_bound_have_their_errors()
    {
        await using var talk = await Talk.StartAsync("turns: [{text: hello}]");
        var (status, json) = await talk.AskAsync("{}", "/v1/nothing");
        Assert.Equal((404, "not_found_error"), (status, json.GetProperty("error").GetProperty("type").GetString()));
        using var method = await talk.Http.GetAsync("/v1/messages");
        Assert.Equal(405, (int)method.StatusCode);
        var (tooLarge, error) = await talk.AskAsync(new string(' ', (32 << 20) + 1));
        Assert.Equal((413, "request_too_large"), (tooLarge, error.GetProperty("error").GetProperty("type").GetString()));
    }
}
