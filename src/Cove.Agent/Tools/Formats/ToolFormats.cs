using System.Text.Json.Nodes;
using Cove.Agent.Tools.Sandbox;
using Cove.Tools;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Tools.Formats;

/// <summary>
/// The forms in which a tool is told to a model or a program, whatever it is: one of a sandbox, one declared in a file, or any .NET function.
/// Name, description and schema are the tool's own. Pure.
/// </summary>
public static class ToolFormats
{
    /// <summary>What the Messages API takes as <c>tools</c>, each with its schema.</summary>
    public static JsonArray Anthropic(IEnumerable<AIFunctionDeclaration> tools) => List(tools, "input_schema");

    /// <summary>
    /// The same, with the tools that Anthropic's models are trained on (<c>bash</c>, the text editor, <c>memory</c>) told by their type, which needs
    /// no schema. For those models alone: another does not know the types.
    /// </summary>
    public static JsonArray AnthropicTyped(IEnumerable<AIFunctionDeclaration> tools)
    {
        ArgumentNullException.ThrowIfNull(tools);
        return new JsonArray([.. tools.Select(tool => (JsonNode?)(Typed(tool) ?? One(tool, "input_schema")))]);
    }

    /// <summary>What <c>tools/list</c> of the Model Context Protocol answers.</summary>
    public static JsonObject Mcp(IEnumerable<AIFunctionDeclaration> tools) => new() { ["tools"] = List(tools, "inputSchema") };

    /// <summary>An OpenAPI 3.1 document with a route for each tool: its input is the body, its result the answer.</summary>
    /// <param name="tools">The tools.</param>
    /// <param name="server">The address they are served at.</param>
    /// <param name="title">What the whole is called.</param>
    public static JsonObject OpenApi(IEnumerable<AIFunctionDeclaration> tools, string server, string title = "Tools")
    {
        ArgumentNullException.ThrowIfNull(tools);
        var paths = new JsonObject();
        foreach (var tool in tools)
        {
            paths["/tools/" + Uri.EscapeDataString(tool.Name)] = new JsonObject { ["post"] = Operation(tool) };
        }

        return OpenApiDocument(title, $"{paths.Count} tools.", server, paths);
    }

    /// <summary>The frame of an OpenAPI document.</summary>
    internal static JsonObject OpenApiDocument(string title, string description, string server, JsonObject paths) => new()
    {
        ["openapi"] = "3.1.0",
        ["info"] = new JsonObject { ["title"] = title, ["version"] = "1.0.0", ["description"] = description },
        ["servers"] = new JsonArray(new JsonObject { ["url"] = server }),
        ["paths"] = paths,
    };

    /// <summary>A body of JSON with a schema.</summary>
    internal static JsonObject Json(JsonNode schema) => new() { ["application/json"] = new JsonObject { ["schema"] = schema } };

    /// <summary>The schema of a tool's input; a new node at each call.</summary>
    internal static JsonNode Schema(AIFunctionDeclaration tool) => JsonNode.Parse(tool.JsonSchema.GetRawText())!;

    private static JsonObject Operation(AIFunctionDeclaration tool) => new()
    {
        ["summary"] = tool.Name,
        ["description"] = tool.Description,
        ["operationId"] = tool.Name,
        ["requestBody"] = new JsonObject { ["required"] = true, ["content"] = Json(Schema(tool)) },
        ["responses"] = new JsonObject
        {
            ["200"] = new JsonObject
            {
                ["description"] = "The result.",
                ["content"] = Json(tool.ReturnJsonSchema is { } result ? JsonNode.Parse(result.GetRawText())! : new JsonObject()),
            },
        },
    };

    private static JsonObject? Typed(AIFunctionDeclaration tool) => tool switch
    {
        EditorTool { MaxCharacters: { } most } => new() { ["type"] = "text_editor_20250728", ["name"] = SandboxTools.EditorName, ["max_characters"] = most },
        EditorTool => new() { ["type"] = "text_editor_20250728", ["name"] = SandboxTools.EditorName },
        BashTool => new() { ["type"] = "bash_20250124", ["name"] = SandboxTools.BashName },
        MemoryTool => new() { ["type"] = "memory_20250818", ["name"] = SandboxTools.MemoryName },
        DelegatingTool wrapping => Typed(wrapping.Inner),
        _ => null,
    };

    private static JsonArray List(IEnumerable<AIFunctionDeclaration> tools, string schemaName)
    {
        ArgumentNullException.ThrowIfNull(tools);
        return new JsonArray([.. tools.Select(tool => (JsonNode?)One(tool, schemaName))]);
    }

    private static JsonObject One(AIFunctionDeclaration tool, string schemaName) =>
        new() { ["name"] = tool.Name, ["description"] = tool.Description, [schemaName] = Schema(tool) };
}
