using System.Text.Json;
using Cove.Agent.Tools;
using Cove.Agent.Tools.Sandbox;
using Cove.Tests.Support;
using Microsoft.Extensions.AI;

namespace Cove.Tests.Agent.Tools;

/// <summary>Calls of a tool as a model makes them: JSON in, contents out.</summary>
internal static class SandboxBench
{
    public static Task<ToolResult> CallAsync(this AgentTool tool, object input, Action<ToolOutput>? output = null, CancellationToken cancellationToken = default) =>
        tool.CallRawAsync(JsonSerializer.Serialize(input), output, cancellationToken);

    public static Task<ToolResult> CallRawAsync(this AgentTool tool, string json, Action<ToolOutput>? output = null, CancellationToken cancellationToken = default) =>
        Hang.WatchAsync(tool.CallAsync(new ToolCall { Id = "toolu_1", Name = tool.Name, Input = JsonElement.Parse(json), Output = output }, cancellationToken));

    public static string Text(this ToolResult result) => string.Join("\n---\n", result.Content.OfType<TextContent>().Select(t => t.Text));

    /// <summary>The first text: what the model reads first.</summary>
    public static string First(this ToolResult result) => result.Content.OfType<TextContent>().First().Text;

    public static string Field(this ToolResult result, string name) => result.Structured!.Value.GetProperty(name) is { ValueKind: JsonValueKind.String } text ? text.GetString()! : result.Structured!.Value.GetProperty(name).GetRawText();

    public static async Task<(FakeCove Cove, SandboxId Sandbox)> FakeAsync()
    {
        var cove = new FakeCove();
        return (cove, (await cove.CreateSandboxAsync(new SandboxRequest())).Id);
    }

    public static AgentTool Named(this IEnumerable<AgentTool> tools, string name) => tools.Single(t => t.Name == name);

    public static SandboxToolOptions Options { get; } = new();
}
