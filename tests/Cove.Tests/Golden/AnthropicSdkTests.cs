using System.Text.Json;
using System.Text.Json.Nodes;
using Anthropic;
using Anthropic.Models.Messages;
using Cove.ScriptedModel;
using Cove.Tests.Support;
using Microsoft.Extensions.AI;
using Xunit;

namespace Cove.Tests.Golden;

/// <summary>
/// The requests of Anthropic's own SDK, recorded: what a client sends is compared with them, and the scripted model takes each of them.
/// To record anew after a change of the package: COVE_RECORD_GOLDEN=1.
/// </summary>
public sealed class AnthropicSdkTests
{
    private static readonly JsonSerializerOptions _indented = new() { WriteIndented = true };
    private static readonly byte[] _picture = Convert.FromBase64String("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==");
    private static readonly Dictionary<string, Func<MessageCreateParams>> _requests = new(StringComparer.Ordinal)
    {
        ["plain"] = () => Ask() with { System = "Be brief.", StopSequences = ["END"], Metadata = new Metadata { UserID = "someone" } },
        ["tools"] = () => Ask() with { Tools = [RunPython()], ToolChoice = new ToolChoiceAuto { DisableParallelToolUse = true } },
        ["typed-tools"] = () => Ask() with { Tools = [new ToolBash20250124(), new ToolTextEditor20250728 { MaxCharacters = 5000 }, new MemoryTool20250818(), new CodeExecutionTool20260521()] },
        ["tool-choice-none"] = () => Ask() with { Messages = Answered(new ToolResultBlockParam("toolu_1") { Content = "42" }), Tools = [RunPython()], ToolChoice = new ToolChoiceNone() },
        ["tool-result-image"] = () => Ask() with { Messages = Answered(Pictured()), Tools = [RunPython()] },
        ["tool-result-error"] = () => Ask() with
        {
            Messages = Answered(new ToolResultBlockParam("toolu_1") { Content = new ToolResultBlockParamContent(new List<Block> { new TextBlockParam("it failed"), new TextBlockParam("why") }), IsError = true }),
            Tools = [RunPython()],
        },
    };

    public static TheoryData<string> Requests => [.. _requests.Keys];

    [Theory]
    [MemberData(nameof(Requests))]
    public async Task A_request_of_the_sdk_has_the_recorded_form(string name)
    {
        await using var server = await StartAsync();
        using var client = Client(server);
        var message = await client.Messages.Create(_requests[name](), TestContext.Current.CancellationToken);
        Assert.True(message.Content[^1].TryPickText(out var text), "The answer is a text.");
        Assert.Equal("fine", text.Text);
        Compare(name, server);
    }

    [Fact]
    public async Task A_streaming_request_of_the_sdk_has_the_recorded_form()
    {
        await using var server = await StartAsync();
        using var client = Client(server);
        await foreach (var next in client.Messages.CreateStreaming(Ask(), TestContext.Current.CancellationToken))
        {
            next.Validate();
        }

        Compare("streaming", server);
    }

    [Fact]
    public async Task Results_of_functions_through_the_sdks_chat_client_have_the_recorded_form()
    {
        await using var server = await StartAsync();
        using var client = Client(server);
        using var chat = client.AsIChatClient("claude-opus-5-5", 512);
        ChatMessage[] messages =
        [
            new(ChatRole.User, "go"),
            new(ChatRole.Assistant, [
                new FunctionCallContent("toolu_1", "run_python", new Dictionary<string, object?> { ["code"] = "1" }),
                new FunctionCallContent("toolu_2", "run_python", new Dictionary<string, object?> { ["code"] = "2" }),
                new FunctionCallContent("toolu_3", "run_python", new Dictionary<string, object?> { ["code"] = "3" }),
            ]),
            new(ChatRole.Tool, [
                new FunctionResultContent("toolu_1", "a text"),
                new FunctionResultContent("toolu_2", JsonElement.Parse("""{"stdout":"42\n","exit_code":0}""")),
                new FunctionResultContent("toolu_3", new List<AIContent> { new TextContent("seen"), new DataContent(_picture, "image/png") }),
            ]),
        ];
        var tool = AIFunctionFactory.CreateDeclaration("run_python", "Runs Python.", Schema());
        var answer = await chat.GetResponseAsync(messages, new ChatOptions { Tools = [tool] }, TestContext.Current.CancellationToken);
        Assert.Equal("fine", answer.Text);
        Compare("chat-client-results", server);
    }

    private static Task<ScriptedModelServer> StartAsync() => ScriptedModelServer.StartTextAsync("turns: [{text: fine}, {text: fine}]", TimeProvider.System, "golden.yaml", TestContext.Current.CancellationToken);

    private static AnthropicClient Client(ScriptedModelServer server) => new() { BaseUrl = server.BaseUrl, ApiKey = "any", MaxRetries = 0, ResponseValidation = true };

    private static MessageCreateParams Ask() => new() { Model = "claude-opus-5-5", MaxTokens = 512, Messages = [new UserMessageParam("What is 6 * 7?")] };

    private static Tool RunPython() => new()
    {
        Name = "run_python",
        Description = "Runs Python.",
        InputSchema = new InputSchema { Properties = new Dictionary<string, JsonElement> { ["code"] = JsonElement.Parse("""{"type":"string"}""") }, Required = ["code"] },
    };

    private static JsonElement Schema() => JsonElement.Parse("""{"type":"object","properties":{"code":{"type":"string"}},"required":["code"]}""");

    private static List<MessageParam> Answered(ToolResultBlockParam result) =>
    [
        new UserMessageParam("What is 6 * 7?"),
        new AssistantMessageParam(new List<ContentBlockParam>
        {
            new TextBlockParam("I will compute it."),
            new ToolUseBlockParam { ID = "toolu_1", Name = "run_python", Input = new Dictionary<string, JsonElement> { ["code"] = JsonElement.Parse("\"print(6 * 7)\"") } },
        }),
        new UserMessageParam(new List<ContentBlockParam> { result }),
    ];

    private static ToolResultBlockParam Pictured() => new("toolu_1")
    {
        Content = new ToolResultBlockParamContent(new List<Block>
        {
            new TextBlockParam("""{"stdout":"","exit_code":0}"""),
            new ImageBlockParam(new Base64ImageSource { Data = Convert.ToBase64String(_picture), MediaType = MediaType.ImagePng }),
        }),
    };

    private static void Compare(string name, ScriptedModelServer server)
    {
        var request = Assert.Single(server.Requests);
        var found = new JsonObject
        {
            ["path"] = request.Path,
            ["anthropic-version"] = request.Headers["anthropic-version"],
            ["authorization"] = request.Headers.GetValueOrDefault("Authorization")?.Split(' ')[0],
            ["x-api-key"] = request.Headers.ContainsKey("x-api-key"),
            ["body"] = JsonNode.Parse(request.Body),
        };
        var path = Path.Combine(SourceTree.Root, "tests", "Cove.Tests", "Golden", "AnthropicSdk", name + ".json");
        if (Environment.GetEnvironmentVariable("COVE_RECORD_GOLDEN") is "1")
        {
            File.WriteAllText(path, found.ToJsonString(_indented) + "\n");
        }

        var recorded = JsonNode.Parse(File.ReadAllText(path));
        Assert.True(JsonNode.DeepEquals(recorded, found), $"The request {name} is now:\n{found.ToJsonString()}");
    }
}
