using System.Text.Json.Nodes;
using Cove.Agent.Inspection;
using Cove.Agent.Tools.Formats;
using Cove.Agent.Tools.Sandbox;
using Cove.Tests.Description;
using Cove.Tests.Support;
using Cove.Tools;
using Microsoft.Extensions.AI;
using NJsonSchema;
using Xunit;

namespace Cove.Tests.Agent.Tools;

public sealed class ToolFormatTests : IDisposable
{
    private readonly TemporaryDirectory _place = new();

    private IReadOnlyList<Cove.Agent.Tools.AgentTool> Tools => SandboxToolset.Create(new FakeCove(), SandboxId.New(), new SandboxToolOptions { MemoryDirectory = _place.Path, EditorMaxCharacters = 10_000 });

    public void Dispose() => _place.Dispose();

    [Fact]
    public void Tools_that_models_are_trained_on_are_told_by_their_type()
    {
        var told = ToolFormats.AnthropicTyped([.. Tools, new InspectedTool(Tools.Named("bash"), Language.Bash)]);
        string[] expected =
        [
            """{"type":"bash_20250124","name":"bash"}""", """{"type":"text_editor_20250728","name":"str_replace_based_edit_tool","max_characters":10000}""",
            """{"type":"memory_20250818","name":"memory"}""", """{"type":"bash_20250124","name":"bash"}""",
        ];
        Assert.Equal(expected, told.Where(t => t!["type"] is not null).Select(t => t!.ToJsonString()));
        Assert.Equal(["run_python", "read_file", "write_file", "list_files"], told.Where(t => t!["input_schema"] is not null).Select(t => t!["name"]!.GetValue<string>()));
    }

    [Fact]
    public void All_forms_tell_the_same_of_any_function()
    {
        AIFunctionDeclaration[] all = [.. Tools, AIFunctionFactory.Create((int a, int b) => a + b, "add", "Adds.")];
        var anthropic = ToolFormats.Anthropic(all);
        var mcp = ToolFormats.Mcp(all)["tools"]!.AsArray();
        var openApi = ToolFormats.OpenApi(all, "http://127.0.0.1:8787");
        Assert.Empty(OpenApiRules.Broken(openApi));
        Assert.Equal(8, all.Length);
        for (var i = 0; i < all.Length; i++)
        {
            var schema = JsonNode.Parse(all[i].JsonSchema.GetRawText());
            Assert.Equal((all[i].Name, all[i].Description), (anthropic[i]!["name"]!.GetValue<string>(), mcp[i]!["description"]!.GetValue<string>()));
            Assert.True(JsonNode.DeepEquals(schema, anthropic[i]!["input_schema"]) && JsonNode.DeepEquals(schema, mcp[i]!["inputSchema"]));
            Assert.True(JsonNode.DeepEquals(schema, openApi["paths"]!["/tools/" + all[i].Name]!["post"]!["requestBody"]!["content"]!["application/json"]!["schema"]));
        }
    }

    [Fact]
    public void What_the_server_tells_is_what_the_tools_are()
    {
        var template = new FakeCove().Templates[0];
        var tools = SandboxToolset.Create(new FakeCove(), SandboxId.New(), new SandboxToolOptions { Template = template });
        foreach (var definition in SandboxTools.For(template).Where(d => d.Name is not ("execute_python_code" or "run_bash")))
        {
            var tool = tools.Named(definition.Name);
            Assert.Equal((definition.Description, definition.InputSchema().ToJsonString()), (tool.Description, tool.JsonSchema.GetRawText()));
        }
    }

    [Theory]
    [InlineData("bash", """{"command":"ls"}""", true)]
    [InlineData("bash", """{"restart":true}""", true)]
    [InlineData("bash", """{"restart":"yes"}""", false)]
    [InlineData("str_replace_based_edit_tool", """{"command":"view","path":"a","view_range":[1,-1]}""", true)]
    [InlineData("str_replace_based_edit_tool", """{"command":"undo_edit","path":"a"}""", false)]
    [InlineData("str_replace_based_edit_tool", """{"command":"view"}""", false)]
    [InlineData("memory", """{"command":"rename","old_path":"/memories/a","new_path":"/memories/b"}""", true)]
    [InlineData("memory", """{"command":"view","path":"/memories","view_range":["1",2]}""", false)]
    public async Task A_schema_takes_what_its_tool_takes(string tool, string input, bool takes) =>
        Assert.Equal(takes, (await JsonSchema.FromJsonAsync(Tools.Named(tool).JsonSchema.GetRawText())).Validate(input).Count == 0);

    [Fact]
    public async Task Any_agent_can_call_them()
    {
        var (cove, sandbox) = await SandboxBench.FakeAsync();
        AIFunction python = new RunPythonTool(cove, sandbox);
        var answer = await python.InvokeAsync(new AIFunctionArguments { ["code"] = "x", ["timeout"] = 5 });
        Assert.Equal("0", ((System.Text.Json.JsonElement)answer!).GetProperty("exit_code").GetRawText());
        Assert.Equal("Bash session restarted.", await new BashTool(cove, sandbox).InvokeAsync(new AIFunctionArguments { ["restart"] = true }));
    }
}
