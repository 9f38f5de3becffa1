using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cove.Agent.Loop;
using Cove.Agent.Tools;
using Cove.Agent.Tools.Sandbox;
using Microsoft.Extensions.AI;
using Xunit;

namespace Cove.Tests.Agent.Tools;

/// <summary>A model copies what it sees and pays by the character: JSON it reads as text has the escapes that JSON demands and no more, and is JSON whatever was put in.</summary>
public sealed class ModelJsonTests
{
    private const string Plain = "it's \"so\" <b>&amp; é + `x` ✓";
    private const string Written = "\"it's \\\"so\\\" <b>&amp; é + `x` ✓\"";

    [Fact]
    public void Errors_results_and_output_of_tools_are_not_escaped_further_than_JSON_demands()
    {
        Assert.Contains("\"context\":" + Written, Error(Plain).ToJson(), StringComparison.Ordinal);
        Assert.Contains("\"stdout\":" + Written, Text(PythonResult.Of(Python(Plain), null, [], [])), StringComparison.Ordinal);
        Assert.Contains("\"stdout\":" + Written, Assert.IsType<TextContent>(Assert.Single(Heard(Plain).Contents())).Text, StringComparison.Ordinal);
        Assert.Equal($"{{\"a\":{Written}}}", Text(CallResult.From(JsonElement.Parse($"{{\"a\":{JsonSerializer.Serialize(Plain)}}}"))));
        Assert.Equal($"[{Written}]", Text(CallResult.From(new[] { Plain })));
        Assert.Equal($"{{\"a\":{Written}}}", ModelJson.Of(new JsonObject { ["a"] = Plain }));
    }

    [Fact]
    public void What_must_be_escaped_is()
    {
        var hostile = "\"}\\ \u0000\n\u001b]0;x\u0007";
        Assert.Equal(hostile, (string?)JsonNode.Parse(Error(hostile).ToJson())!["context"]);
        Assert.DoesNotContain(Error(hostile).ToJson(), char.IsControl);
    }

    [Fact]
    public void Half_of_a_surrogate_pair_comes_out_as_JSON()
    {
        AssertReadable("\ud83d", "\ufffd");
        AssertReadable("a\ude00b", "a\ufffdb");
    }

    private static void AssertReadable(string half, string read)
    {
        Assert.Equal(read, (string?)JsonNode.Parse(Error(half).ToJson())!["context"]);
        Assert.Equal(read, (string?)JsonNode.Parse(Text(PythonResult.Of(Python(half), null, [], [])))!["stdout"]);
        Assert.Equal(read, (string?)JsonNode.Parse(Assert.IsType<TextContent>(Assert.Single(Heard(half).Contents())).Text)!["stdout"]);
        Assert.Equal(read, (string?)JsonNode.Parse(Text(CallResult.From(new[] { half })))![0]);
        var escaped = string.Concat(half.Select(c => char.IsSurrogate(c) ? $"\\u{(int)c:x4}" : c.ToString()));
        Assert.Equal(read, (string?)JsonNode.Parse(Text(CallResult.From(JsonElement.Parse($"[\"{escaped}\"]"))))![0]);
        Assert.Equal(read, (string?)JsonNode.Parse(Text(CallResult.From(JsonElement.Parse($"{{\"{escaped}\":1}}"))))!.AsObject().Single().Key);
    }

    [Fact]
    public void Bytes_that_are_no_UTF_8_come_out_as_JSON()
    {
        var reader = new Utf8JsonReader([.. "[\"a"u8, 0xed, 0xa0, 0x80, 0xff, .. "\"]"u8]);
        var text = Text(CallResult.From(JsonElement.ParseValue(ref reader)));
        Assert.Equal('a', ((string?)JsonNode.Parse(text)![0])![0]);
        Assert.DoesNotContain(Encoding.UTF8.GetBytes(text), b => b == 0xff);
    }

    [Fact]
    public void What_is_no_escape_stays() => Assert.Equal("""["\\u0027 \\ud800","'"]""", Text(CallResult.From(JsonElement.Parse("""["\\u0027 \\ud800","\u0027"]"""))));

    private static ToolError Error(string context) => new() { ErrorCategory = ToolErrorCategory.Input, IsRetryable = true, Context = context, Remediation = "" };

    private static PythonResult Python(string stdout) => new() { Stdout = stdout, Stderr = "", ExitCode = 0, ExecutionTime = 1 };

    private static HeardOutput Heard(string text)
    {
        var heard = new HeardOutput();
        heard.Add(new ToolOutput(OutputStream.Stdout, text));
        return heard;
    }

    private static string Text(ToolResult result) => Assert.IsType<TextContent>(result.Content[0]).Text;
}
