using System.Text.Json;
using System.Text.Json.Nodes;
using Cove.Agent.Tools;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Agent.HttpTools;

/// <summary>A value fills the place it is meant for and changes nothing else of a request.</summary>
public sealed class TemplateAttackTests
{
    private const string Any = "{type: object, required: [a], properties: {a: {type: string}, b: {type: string}, n: {type: number}, x: {type: array, items: {}}}}";

    [Theory]
    [InlineData("..")]
    [InlineData(".")]
    [InlineData("...")]
    [InlineData("../admin")]
    [InlineData("a/b")]
    [InlineData("a\\b")]
    [InlineData("")]
    [InlineData("%2e%2e")]
    [InlineData("%2E%2e%2Fadmin")]
    [InlineData("%252e%252e%252fadmin")]
    [InlineData("a%2Fb")]
    [InlineData("a%5cb")]
    [InlineData("a\r\nHost: evil.example")]
    [InlineData("a\0b")]
    [InlineData("a%0d%0aX: y")]
    public async Task No_value_leaves_its_segment_of_the_path(string value)
    {
        await using var bench = await ToolBench.StartAsync(ToolBench.Tool("method: GET\nurl: BASE/v1/{a}/end", Any));
        var result = await bench.CallAsync(Input(("a", value)));
        Assert.Equal(ToolErrorCategory.Input, result.Error!.ErrorCategory);
        Assert.Empty(bench.Api.Requests);
    }

    [Theory]
    [InlineData("a b", "a%20b")]
    [InlineData("a?b=c#d", "a%3Fb%3Dc%23d")]
    [InlineData("@evil.example", "%40evil.example")]
    [InlineData("é", "%C3%A9")]
    [InlineData("100%", "100%25")]
    [InlineData("..;", "..%3B")]
    [InlineData("a..b", "a..b")]
    [InlineData("{b}", "%7Bb%7D")]
    [InlineData("${secret:TOKEN}", "%24%7Bsecret%3ATOKEN%7D")]
    public async Task Everything_else_is_percent_encoded(string value, string encoded)
    {
        await using var bench = await ToolBench.StartAsync(ToolBench.Tool("method: GET\nurl: BASE/v1/{a}/end", Any));
        Assert.Null((await bench.CallAsync(Input(("a", value)))).Error);
        Assert.Equal($"/v1/{encoded}/end", Assert.Single(bench.Api.Requests).Target);
    }

    [Theory]
    [InlineData("owner/..")]
    [InlineData("../..")]
    [InlineData("owner/name/../../user")]
    [InlineData("owner//name")]
    [InlineData("/owner/name")]
    [InlineData("owner/%2e%2e")]
    [InlineData("owner/na\\me")]
    public async Task A_value_of_several_segments_stays_below_its_place_even_when_its_pattern_is_careless(string value)
    {
        await using var bench = await ToolBench.StartAsync(ToolBench.Tool("method: GET\nurl: BASE/repos/{+a}/issues", "{type: object, required: [a], properties: {a: {type: string, pattern: '.*'}}}"));
        Assert.Equal(ToolErrorCategory.Input, (await bench.CallAsync(Input(("a", value)))).Error!.ErrorCategory);
        Assert.Empty(bench.Api.Requests);
        Assert.Null((await bench.CallAsync(Input(("a", "owner/na me")))).Error);
        Assert.Equal("/repos/owner/na%20me/issues", Assert.Single(bench.Api.Requests).Target);
    }

    [Fact]
    public async Task Values_that_are_harmless_each_make_no_step_up_together()
    {
        await using var bench = await ToolBench.StartAsync(ToolBench.Tool("method: GET\nurl: BASE/v1/{a}.{b}/end", "{type: object, required: [a, b], properties: {a: {type: string}, b: {type: string}}}"));
        Assert.NotNull((await bench.CallAsync(Input(("a", "."), ("b", "x")))).Error);
        Assert.Null((await bench.CallAsync(Input(("a", "x"), ("b", "y")))).Error);
        await using var joined = await ToolBench.StartAsync(ToolBench.Tool("method: GET\nurl: BASE/v1/.{a}/end", Any));
        Assert.Null((await joined.CallAsync(Input(("a", "well-known")))).Error);
        Assert.Equal(ToolErrorCategory.Input, (await joined.CallAsync(Input(("a", ".")))).Error!.ErrorCategory);
        Assert.Equal("/v1/.well-known/end", Assert.Single(joined.Api.Requests).Target);
    }

    [Theory]
    [InlineData("x\r\nX-Injected: yes")]
    [InlineData("x\nX-Injected: yes")]
    [InlineData("x\rX-Injected: yes")]
    [InlineData("x\0y")]
    [InlineData("é")]
    public async Task No_value_adds_a_header(string value)
    {
        await using var bench = await ToolBench.StartAsync(ToolBench.Tool("method: GET\nurl: BASE/x\nheaders: {X-Note: 'note {a}'}", Any));
        Assert.Equal(ToolErrorCategory.Input, (await bench.CallAsync(Input(("a", value)))).Error!.ErrorCategory);
        Assert.Empty(bench.Api.Requests);
    }

    [Fact]
    public async Task A_query_takes_values_as_they_are_and_leaves_out_what_was_left_out()
    {
        await using var bench = await ToolBench.StartAsync(ToolBench.Tool("method: GET\nurl: BASE/x\nquery: {q: '{a}', page: '{n}', other: '{b}', fixed: 1}", Any));
        Assert.Null((await bench.CallAsync("""{"a":"1&admin=true#x=y é","n":2.5}""")).Error);
        Assert.Equal("/x?q=1%26admin%3Dtrue%23x%3Dy%20%C3%A9&page=2.5&fixed=1", Assert.Single(bench.Api.Requests).Target);
    }

    [Fact]
    public async Task A_body_is_built_as_a_tree()
    {
        const string Body = "body:\n  title: '{a}'\n  text: 'said {{by}} {a}'\n  number: '{n}'\n  list: '{x}'\n  left_out: '{b}'\n  constant: {a: [1, true, null, 'no']}\n  items: ['{b}', '{n}']";
        await using var bench = await ToolBench.StartAsync(ToolBench.Tool("method: POST\nurl: BASE/x\n" + Body, Any));
        var evil = "\",\"admin\":true,\"x\":\"{n} ${secret:TOKEN}\u2028";
        Assert.Null((await bench.CallAsync(new JsonObject { ["a"] = evil, ["n"] = 1.5, ["x"] = new JsonArray("a", new JsonObject { ["b"] = 1 }) }.ToJsonString())).Error);
        var sent = JsonNode.Parse(Assert.Single(bench.Api.Requests).Body)!;
        Assert.Equal(["title", "text", "number", "list", "constant", "items"], sent.AsObject().Select(field => field.Key));
        Assert.Equal(evil, (string?)sent["title"]);
        Assert.Equal("said {by} " + evil, (string?)sent["text"]);
        Assert.Equal(1.5, (double)sent["number"]!);
        Assert.Equal("""["a",{"b":1}]""", sent["list"]!.ToJsonString());
        Assert.Equal("""{"a":[1,true,null,"no"]}""", sent["constant"]!.ToJsonString());
        Assert.Equal("[1.5]", sent["items"]!.ToJsonString());
    }

    private static string Input(params (string Name, string Value)[] values) => JsonSerializer.Serialize(values.ToDictionary(value => value.Name, value => value.Value));
}
