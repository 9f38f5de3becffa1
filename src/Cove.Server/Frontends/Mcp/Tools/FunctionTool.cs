using System.Text.Json;
using Cove.Agent.HttpTools;
using Cove.Agent.Tools;
using Cove.Server.Hosting;
using Microsoft.Extensions.AI;
using ModelContextProtocol.Protocol;

namespace Cove.Server.Frontends.Mcp.Tools;

/// <summary>Any function of Microsoft.Extensions.AI as a tool: declared HTTP tools, and whatever the server is given.</summary>
internal sealed class FunctionTool(AIFunction function) : McpTool
{
    /// <summary>A result is at most this long: a model should read it.</summary>
    private const int MostBytes = 20_000;

    public override string Name => function.Name;

    /// <summary>A declared tool is on record under the same name however it is called.</summary>
    public override string Operation => function is HttpTool ? "callTool:" + Name : base.Operation;

    public override Scopes Needs => Scopes.Tools;

    public override Tool Describe(IReadOnlyList<TemplateInfo> templates) => new() { Name = Name, Description = function.Description, InputSchema = function.JsonSchema };

    public override async Task<CallToolResult> CallAsync(McpCall call, CancellationToken cancellationToken)
    {
        var arguments = (call.Arguments ?? new Dictionary<string, JsonElement>()).ToDictionary(pair => pair.Key, pair => (object?)pair.Value);
        if (function is HttpTool declared)
        {
            var answer = await declared.AskAsync(ToolInput.From(arguments), cancellationToken);
            if (answer.Error is not null)
            {
                call.Caller.Fails(answer.Code, null);
            }

            return Told(HttpTool.Told(answer));
        }

        if (function is AgentTool tool)
        {
            return Told(await tool.CallAsync(new ToolCall { Id = "", Name = Name, Input = ToolInput.From(arguments), CorrelationId = call.Caller.CorrelationId }, cancellationToken));
        }

        var value = await function.InvokeAsync(new AIFunctionArguments(arguments), cancellationToken);
        return new CallToolResult { Content = [Text(value as string ?? ModelJson.Of(value))] };
    }

    private static CallToolResult Told(ToolResult result) => new() { Content = [.. result.Content.Select(Block).OfType<ContentBlock>()], StructuredContent = Small(result.Structured), IsError = result.Error is not null };

    private static ContentBlock? Block(AIContent content) => content switch
    {
        TextContent text => Text(text.Text),
        DataContent data when Pictures.IsOne(data.MediaType) && data.Data.Length <= McpFiles.MostBytes => ImageContentBlock.FromBytes(data.Data, data.MediaType),
        _ => null,
    };

    /// <summary>What a host would show instead of the text must be as bounded as the text.</summary>
    private static JsonElement? Small(JsonElement? value) => value is { ValueKind: JsonValueKind.Object } some && some.GetRawText().Length <= MostBytes ? some : null;

    private static TextContentBlock Text(string text) => new() { Text = Shortened.Of(text, MostBytes).Text };
}
