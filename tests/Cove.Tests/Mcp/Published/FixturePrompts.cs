using System.Text;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Cove.Tests.Mcp.Published;

internal static class FixturePrompts
{
    public static IEnumerable<McpServerPrompt> All() =>
    [
        Prompt("test_simple_prompt", static () => Said(Text("This is a simple prompt for testing."))),
        Prompt("test_prompt_with_arguments", static (string arg1, string arg2) => Said(Text($"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"))),
        Prompt("test_prompt_with_embedded_resource", static (string resourceUri) => Said(
            new EmbeddedResourceBlock { Resource = new TextResourceContents { Uri = resourceUri, MimeType = "text/plain", Text = "Embedded resource content for testing." } },
            Text("Please process the embedded resource above."))),
        Prompt("test_prompt_with_image", static () => Said(new ImageContentBlock { Data = Encoding.ASCII.GetBytes(FixtureTools.Png), MimeType = "image/png" }, Text("Please analyze the image above."))),
        Prompt("test_input_required_result_prompt", static (RequestContext<GetPromptRequestParams> context) =>
            context.Params?.InputResponses?.ContainsKey("user_context") == true ? Said(Text("With context.")) : throw FixtureInputs.AskForContext()),
    ];

    private static McpServerPrompt Prompt(string name, Delegate method) => McpServerPrompt.Create(method, new McpServerPromptCreateOptions { Name = name, Description = "Asked for by the conformance suite." });

    private static GetPromptResult Said(params ContentBlock[] contents) => new() { Messages = [.. contents.Select(content => new PromptMessage { Role = Role.User, Content = content })] };

    private static TextContentBlock Text(string text) => new() { Text = text };
}
