using System.Text.Json;
using Cove.Agent.Tools;
using Cove.Tests.Support;
using Microsoft.Extensions.AI;
using Xunit;

namespace Cove.Tests.Agent.HttpTools;

/// <summary>Nothing is sent before the input is what the schema says.</summary>
public sealed class InputTests
{
    private const string Schema = """
        {type: object, required: [repo], properties: {
              repo: {type: string, pattern: '^[\w.-]+/[\w.-]+$'},
              count: {type: integer, minimum: 1, maximum: 10},
              kind: {type: string, enum: [bug, idea]},
              fixed: {const: 3},
              both: {type: string, pattern: '^\d+$', format: date},
              labels: {type: array, maxItems: 2, items: {type: string, maxLength: 3}},
              nested: {type: object, required: [a], properties: {a: {type: boolean}}, additionalProperties: false},
              either: {oneOf: [{type: string, pattern: '^x'}, {type: integer}]}}}
        """;

    [Theory]
    [InlineData("{}", "repo is missing")]
    [InlineData("""{"repo":"a b"}""", "repo is 'a b'", "^[\\w.-]+/[\\w.-]+$")]
    [InlineData("""{"repo":"a/b\n"}""", "repo is 'a/b?'")]
    [InlineData("""{"repo":"é/b"}""", "repo is")]
    [InlineData("""{"repo":5}""", "repo is 5: give a text")]
    [InlineData("""{"repo":null}""", "repo is null")]
    [InlineData("""{"repo":"a/b","count":0}""", "count is 0: stay within 1 to 10")]
    [InlineData("""{"repo":"a/b","count":"5"}""", "count is '5': give a whole number")]
    [InlineData("""{"repo":"a/b","count":1.5}""", "count is 1.5: give a whole number")]
    [InlineData("""{"repo":"a/b","kind":"other"}""", "kind is 'other': give one of bug, idea")]
    [InlineData("""{"repo":"a/b","fixed":4}""", "fixed is 4: give one of 3")]
    [InlineData("""{"repo":"a/b","both":"abc"}""", "both is 'abc'")]
    [InlineData("""{"repo":"a/b","labels":["a","b","c"]}""", "labels has too many items: give at most 2")]
    [InlineData("""{"repo":"a/b","labels":["abcd"]}""", "labels[0] is 'abcd': give at most 3 characters")]
    [InlineData("""{"repo":"a/b","nested":{}}""", "nested.a is missing")]
    [InlineData("""{"repo":"a/b","nested":{"a":true,"b":1}}""", "nested.b is not known")]
    [InlineData("""{"repo":"a/b","either":"y"}""", "either is 'y'")]
    [InlineData("""{"repo":"a/b","more":1}""", "more is not known")]
    [InlineData("""{"repo":"x","repo":"a/b"}""", "'repo' twice")]
    [InlineData("[]", "not an object")]
    [InlineData("""{"repo":"a/b","count":1e400}""", "too large")]
    [InlineData("""{"repo":"\ud800/b"}""", "surrogate")]
    public async Task What_the_schema_does_not_take_is_refused_by_field_value_and_fix(string input, params string[] named)
    {
        await using var bench = await ToolBench.StartAsync(ToolBench.Tool("method: POST\nurl: BASE/x", Schema));
        var result = await bench.CallAsync(input);
        Assert.Equal(ToolErrorCategory.Input, result.Error!.ErrorCategory);
        Assert.True(result.Error.IsRetryable);
        Assert.All(named, word => Assert.Contains(word, result.Error.Context, StringComparison.Ordinal));
        Assert.Empty(bench.Api.Requests);
    }

    [Fact]
    public async Task Every_wrong_field_is_named()
    {
        await using var bench = await ToolBench.StartAsync(ToolBench.Tool("method: POST\nurl: BASE/x", Schema));
        var context = (await bench.CallAsync("""{"count":0,"kind":"x","more":1}""")).Error!.Context;
        Assert.All(new[] { "repo is missing", "count is 0", "kind is 'x'", "more is not known" }, word => Assert.Contains(word, context, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Deep_and_large_inputs_are_refused()
    {
        await using var bench = await ToolBench.StartAsync(ToolBench.Tool("method: POST\nurl: BASE/x", "{type: object, additionalProperties: true, properties: {}}"));
        Assert.Contains("nested deeper", (await bench.CallAsync("{\"a\":" + new string('[', 50) + new string(']', 50) + "}")).Error!.Context, StringComparison.Ordinal);
        Assert.Contains("longer than", (await bench.CallAsync($"{{\"a\":\"{new string('x', 2 << 20)}\"}}")).Error!.Context, StringComparison.Ordinal);
        Assert.Contains("10000 values", (await bench.CallAsync("{\"a\":[" + string.Join(',', Enumerable.Repeat("1", 20_000)) + "]}")).Error!.Context, StringComparison.Ordinal);
        Assert.Empty(bench.Api.Requests);
    }

    [Fact]
    public async Task A_long_value_is_shortened_and_control_characters_are_not_shown()
    {
        await using var bench = await ToolBench.StartAsync(ToolBench.Tool("method: POST\nurl: BASE/x", Schema));
        var context = (await bench.CallAsync(JsonSerializer.Serialize(new Dictionary<string, string> { ["repo"] = "\u001b[31m" + new string('x', 10_000) }))).Error!.Context;
        Assert.True(context.Length < 500, context);
        Assert.DoesNotContain('\u001b', context);
    }

    [Fact]
    public async Task Any_agent_can_call_it()
    {
        await using var bench = await ToolBench.StartAsync(ToolBench.Tool("method: POST\nurl: BASE/x\nbody: {repo: '{repo}', count: '{count}'}\nresponse: {fields: {id: id}}", Schema));
        bench.Api.Answers((200, """{"id":7}""", []));
        var value = await bench.Set[0].InvokeAsync(new AIFunctionArguments { ["repo"] = "a/b", ["count"] = 3 }, TestContext.Current.CancellationToken);
        Assert.Equal("""{"success":true,"id":7}""", Assert.IsType<JsonElement>(value).GetRawText());
        Assert.Equal("""{"repo":"a/b","count":3}""", bench.Api.Requests[0].Body);
    }

    /// <summary>(a+)+$ and its like take time exponential in the length of the text where they are tried in all ways.</summary>
    [Fact]
    public async Task A_careless_pattern_is_matched_in_linear_time()
    {
        await using var bench = await ToolBench.StartAsync(ToolBench.Tool("method: POST\nurl: BASE/x", "{type: object, properties: {a: {type: string, pattern: '^(a+)+$'}}}"));
        var result = await Eventually.Within(bench.CallAsync($"{{\"a\":\"{new string('a', 200)}!\"}}"));
        Assert.Equal(ToolErrorCategory.Input, result.Error!.ErrorCategory);
    }
}
