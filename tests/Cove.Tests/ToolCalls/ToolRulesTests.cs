using System.Text.Json;
using Cove.Engine.Runs;
using Xunit;

namespace Cove.Tests.ToolCalls;

/// <summary>What a run's request may say of tools; each refusal names the field.</summary>
public sealed class ToolRulesTests
{
    public static TheoryData<string, Func<RunRequest, RunRequest>> Faults => new()
    {
        { "tool_call_timeout_ms", r => r with { Tools = null, ToolCallTimeout = TimeSpan.FromSeconds(1) } },
        { "max_tool_calls", r => r with { Tools = [], MaxToolCalls = 1 } },
        { "tool_call_timeout_ms", r => r with { ToolCallTimeout = TimeSpan.FromMilliseconds(9) } },
        { "tool_call_timeout_ms", r => r with { ToolCallTimeout = TimeSpan.FromHours(25) } },
        { "max_tool_calls", r => r with { MaxToolCalls = 0 } },
        { "max_tool_calls", r => r with { MaxToolCalls = 10_001 } },
        { "tools", r => r with { Language = Language.Bash } },
        { "tools", r => r with { Language = Language.JavaScript } },
        { "tools", r => r with { Code = null, ShellLine = "ls" } },
        { "tool_call_timeout_ms", r => r with { Code = null, ShellLine = "ls", Tools = null, ToolCallTimeout = TimeSpan.FromSeconds(1) } },
        { "max_tool_calls", r => r with { Code = null, ShellLine = "ls", Tools = null, MaxToolCalls = 1 } },
        { "tools", r => r with { Tools = [.. Enumerable.Range(0, 129).Select(n => new HostTool { Name = $"t{n}" })] } },
        { "tools", r => r with { Tools = [.. Enumerable.Range(0, 9).Select(n => new HostTool { Name = $"t{n}", InputSchema = Schema(60_000) })] } },
        { "tools[0]", r => r with { Tools = [null!] } },
        { "tools[0].name", r => With(r, new HostTool { Name = null! }) },
        { "tools[0].name", r => With(r, new HostTool { Name = "" }) },
        { "tools[0].name", r => With(r, new HostTool { Name = "1a" }) },
        { "tools[0].name", r => With(r, new HostTool { Name = "-a" }) },
        { "tools[0].name", r => With(r, new HostTool { Name = "a.b" }) },
        { "tools[0].name", r => With(r, new HostTool { Name = "ä" }) },
        { "tools[0].name", r => With(r, new HostTool { Name = "__class__" }) },
        { "tools[0].name", r => With(r, new HostTool { Name = new string('a', 65) }) },
        { "tools[1].name", r => r with { Tools = [new HostTool { Name = "a-b" }, new HostTool { Name = "a_b" }] } },
        { "tools[1].name", r => r with { Tools = [new HostTool { Name = "import" }, new HostTool { Name = "import_" }] } },
        { "tools[0].description", r => With(r, new HostTool { Name = "a", Description = "\ud800" }) },
        { "tools[0].description", r => With(r, new HostTool { Name = "a", Description = new string('x', (16 << 10) + 1) }) },
        { "tools[0].input_schema", r => With(r, new HostTool { Name = "a", InputSchema = JsonElement.Parse("[]") }) },
        { "tools[0].input_schema", r => With(r, new HostTool { Name = "a", InputSchema = JsonElement.Parse("""{"type":"string"}""") }) },
        { "tools[0].input_schema", r => With(r, new HostTool { Name = "a", InputSchema = JsonElement.Parse("""{"properties":[]}""") }) },
        { "tools[0].input_schema", r => With(r, new HostTool { Name = "a", InputSchema = Schema(65_536) }) },
    };

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_fault_is_named_by_its_field(string field, Func<RunRequest, RunRequest> change)
    {
        var error = RunRules.Check(change(ToolCallTests.Request()));
        Assert.Equal("invalid_request", error?.Code);
        Assert.Contains($"'{field}'", error!.Message, StringComparison.Ordinal);
        Assert.NotEmpty(error.Remediation);
    }

    [Fact]
    public void What_is_at_the_bounds_is_taken()
    {
        Assert.Null(RunRules.Check(ToolCallTests.Request("_a", "get-it", "import", new string('a', 64)) with { ToolCallTimeout = TimeSpan.FromHours(24), MaxToolCalls = 10_000 }));
        Assert.Null(RunRules.Check(With(ToolCallTests.Request(), new HostTool { Name = "a", InputSchema = Schema(65_000), Description = new string('x', 16 << 10) })));
        Assert.Null(RunRules.Check(new RunRequest { Code = "1", Tools = [] }));
        Assert.Null(RunRules.Check(JsonSerializer.Deserialize("""{"code":"1","tools":[{"name":"a"}]}""", Cove.Wire.CoveJson.Wire.RunRequest)!));
    }

    private static RunRequest With(RunRequest request, HostTool tool) => request with { Tools = [tool] };

    private static JsonElement Schema(int bytes) => JsonElement.Parse($$"""{"title":"{{new string('x', bytes)}}"}""");
}
