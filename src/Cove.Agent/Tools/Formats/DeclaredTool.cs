using System.Text.Json;
using Cove.Tools;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Tools.Formats;

/// <summary>A definition that nobody carries out here: what is told of tools that are routes of a server.</summary>
internal sealed class DeclaredTool(ToolDefinition definition) : AIFunctionDeclaration
{
    public override string Name => definition.Name;

    public override string Description => definition.Description;

    public override JsonElement JsonSchema { get; } = JsonElement.Parse(definition.InputSchema().ToJsonString());
}
