using System.Net;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cove.Tests.Description;
using Cove.Tests.Support;
using Cove.Tools;
using NJsonSchema;
using Xunit;

namespace Cove.Tests.Tools;

public sealed class ToolTests : IAsyncLifetime
{
    private readonly FakeCove _cove = new()
    {
        Templates =
        [
            Template("python-data", new() { ["pandas"] = "1.5.3", ["numpy"] = "1.24.2" }),
            Template("base", []),
        ],
    };

    private FrontDoor _server = null!;

    public async ValueTask InitializeAsync() => _server = await FrontDoor.StartAsync(_cove);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData("anthropic")]
    [InlineData("mcp")]
    [InlineData("openapi")]
    public async Task Each_form_is_as_it_was(string format)
    {
        using var response = await _server.Http.GetAsync("/tools?format=" + format);
        Assert.Equal("application/json", response.Content.Headers.ContentType!.ToString());
        var told = (await response.Content.ReadAsStringAsync()).Replace(_server.Address.ToString().TrimEnd('/'), "http://127.0.0.1:8787", StringComparison.Ordinal);
        var golden = await File.ReadAllTextAsync(Path.Combine(SourceTree.Root, "tests", "Cove.Tests", "Golden", "Tools", format + ".json"));
        Assert.Equal(golden.TrimEnd(), Indented(JsonNode.Parse(told)!));
    }

    [Fact]
    public async Task Without_a_format_it_is_the_list_for_the_Messages_API() =>
        Assert.Equal(await _server.Http.GetStringAsync("/tools?format=anthropic"), await _server.Http.GetStringAsync("/tools"));

    [Fact]
    public async Task All_forms_tell_the_same()
    {
        var anthropic = JsonNode.Parse(await _server.Http.GetStringAsync("/tools?format=anthropic"))!.AsArray();
        var mcp = JsonNode.Parse(await _server.Http.GetStringAsync("/tools?format=mcp"))!["tools"]!.AsArray();
        var openApi = JsonNode.Parse(await _server.Http.GetStringAsync("/tools?format=openapi"))!;
        Assert.Equal(["execute_python_code", "run_python", "run_bash", "read_file", "write_file", "list_files"], anthropic.Select(t => t!["name"]!.GetValue<string>()));
        Assert.All(anthropic.Zip(mcp), pair =>
        {
            Assert.Equal(pair.First!["name"]!.GetValue<string>(), pair.Second!["name"]!.GetValue<string>());
            Assert.True(JsonNode.DeepEquals(pair.First["input_schema"], pair.Second["inputSchema"]));
        });
        Assert.True(JsonNode.DeepEquals(anthropic[0]!["input_schema"], openApi["paths"]!["/execute"]!["post"]!["requestBody"]!["content"]!["application/json"]!["schema"]));
        Assert.Empty(OpenApiRules.Broken(openApi.AsObject()));
    }

    [Theory]
    [InlineData("execute_python_code", """{"code":"print(1)"}""", true)]
    [InlineData("execute_python_code", """{}""", false)]
    [InlineData("execute_python_code", """{"code":1}""", false)]
    [InlineData("run_python", """{"code":"print(1)"}""", true)]
    [InlineData("run_python", """{"code":"print(1)","timeout":5}""", true)]
    [InlineData("run_python", """{"code":"print(1)","timeout":"5"}""", false)]
    [InlineData("run_bash", """{"command":"ls"}""", true)]
    [InlineData("run_bash", """{"code":"ls"}""", false)]
    [InlineData("write_file", """{"path":"/workspace/a","content":""}""", true)]
    [InlineData("write_file", """{"path":"/workspace/a"}""", false)]
    [InlineData("read_file", """{"path":"/workspace/a"}""", true)]
    [InlineData("list_files", """{"path":["/"]}""", false)]
    public async Task A_schema_takes_what_its_tool_takes(string tool, string input, bool takes)
    {
        var template = (await _cove.ListTemplatesAsync())[0];
        var schema = await JsonSchema.FromJsonAsync(SandboxTools.For(template).Single(t => t.Name == tool).InputSchema().ToJsonString());
        var errors = schema.Validate(input);
        Assert.Equal(takes, errors.Count == 0);
    }

    [Fact]
    public async Task What_is_said_to_be_installed_is_the_templates()
    {
        var text = await _server.Http.GetStringAsync("/tools");
        Assert.Contains("Python 3.11.2, standard library, and: numpy 1.24.2, pandas 1.5.3.", text, StringComparison.Ordinal);
        Assert.Contains("Python 3.11.2, standard library only.", await _server.Http.GetStringAsync("/tools?template=base"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("format=openai", "The query parameter 'format' is 'openai'.", "Give anthropic, openapi or mcp.")]
    [InlineData("template=nothing", "The query parameter 'template' is 'nothing'.", "Give one of: python-data, base.")]
    public async Task What_there_is_not_is_refused_by_name(string query, string detail, string remediation)
    {
        using var response = await _server.Http.GetAsync("/tools?" + query);
        Assert.Equal((HttpStatusCode.BadRequest, "application/problem+json"), (response.StatusCode, response.Content.Headers.ContentType!.MediaType));
        var problem = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        Assert.Equal((detail, remediation), (problem["detail"]!.GetValue<string>(), problem["remediation"]!.GetValue<string>()));
    }

    [Theory]
    [InlineData("https", "https")]
    [InlineData("gopher", "http")]
    public async Task Behind_a_proxy_that_ends_TLS_the_address_says_so(string forwarded, string scheme)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/tools?format=openapi");
        request.Headers.Add("X-Forwarded-Proto", forwarded);
        using var response = await _server.Http.SendAsync(request);
        Assert.StartsWith($"{scheme}://127.0.0.1:", JsonNode.Parse(await response.Content.ReadAsStringAsync())!["servers"]![0]!["url"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    private static TemplateInfo Template(string name, Dictionary<string, string> packages) => new()
    {
        Name = name,
        Description = "For a test.",
        Preload = [],
        Packages = packages,
        Languages = new Dictionary<string, string> { ["python"] = "3.11.2" },
        Limits = new SandboxLimits(),
    };

    private static string Indented(JsonNode node) => node.ToJsonString(new JsonSerializerOptions { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
