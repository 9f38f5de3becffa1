using System.Text.Json.Nodes;
using Cove.Server.Tools.Declared;
using Cove.Tools;

namespace Cove.Server.Tools;

/// <summary>The forms in which tool definitions are told. Pure.</summary>
internal static class ToolFormats
{
    /// <summary>What the Messages API takes as <c>tools</c>: the bare list.</summary>
    public static JsonArray Anthropic(IEnumerable<ToolDefinition> tools, ServerTools declared) => List(tools, declared, "input_schema");

    /// <summary>What <c>tools/list</c> of the Model Context Protocol answers.</summary>
    public static JsonObject Mcp(IEnumerable<ToolDefinition> tools, ServerTools declared) => new() { ["tools"] = List(tools, declared, "inputSchema") };

    /// <summary>An OpenAPI document of the tools that are routes of their own.</summary>
    public static JsonObject OpenApi(ToolDefinition tool, string server, ServerTools declared)
    {
        var document = OpenApi(tool, server);
        DeclaredDescription.AddTo(document["paths"]!.AsObject(), declared);
        return document;
    }

    private static JsonObject OpenApi(ToolDefinition tool, string server) => new()
    {
        ["openapi"] = "3.1.0",
        ["info"] = new JsonObject { ["title"] = "Code Executor", ["version"] = "1.0.0", ["description"] = tool.Description },
        ["servers"] = new JsonArray(new JsonObject { ["url"] = server }),
        ["paths"] = new JsonObject { ["/execute"] = new JsonObject { ["post"] = Execute(tool) } },
    };

    private static JsonObject Execute(ToolDefinition tool) => new()
    {
        ["summary"] = "Execute Python Code",
        ["operationId"] = tool.Name,
        ["requestBody"] = new JsonObject { ["required"] = true, ["content"] = Json(tool.InputSchema()) },
        ["responses"] = new JsonObject
        {
            ["200"] = new JsonObject
            {
                ["description"] = "Successful execution output",
                ["content"] = Json(new JsonObject
                {
                    ["type"] = "object",
                    ["properties"] = new JsonObject
                    {
                        ["output"] = Property("string", "Standard output from the executed code."),
                        ["error"] = Property("string", "Error output or exception message if execution failed."),
                        ["success"] = Property("boolean", "True if code executed without uncaught exceptions, False otherwise."),
                    },
                }),
            },
        },
    };

    private static JsonArray List(IEnumerable<ToolDefinition> tools, ServerTools declared, string schemaName)
    {
        var list = new JsonArray();
        foreach (var tool in tools)
        {
            list.Add((JsonNode?)new JsonObject { ["name"] = tool.Name, ["description"] = tool.Description, [schemaName] = tool.InputSchema() });
        }

        foreach (var tool in declared.All)
        {
            list.Add((JsonNode?)new JsonObject { ["name"] = tool.Name, ["description"] = tool.Description, [schemaName] = JsonNode.Parse(tool.JsonSchema.GetRawText()) });
        }

        return list;
    }

    private static JsonObject Json(JsonObject schema) => new() { ["application/json"] = new JsonObject { ["schema"] = schema } };

    private static JsonObject Property(string type, string description) => new() { ["type"] = type, ["description"] = description };
}
