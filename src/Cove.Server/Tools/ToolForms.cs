using System.Text.Json.Nodes;
using Cove.Agent.Tools.Formats;
using Cove.Tools;

namespace Cove.Server.Tools;

/// <summary>The tools of this server's sandboxes in the forms in which they are told. Pure.</summary>
internal static class ToolForms
{
    public static JsonArray Anthropic(TemplateInfo template) => ToolFormats.Anthropic(All(template));

    public static JsonObject Mcp(TemplateInfo template) => ToolFormats.Mcp(All(template));

    /// <summary>An OpenAPI document of the one tool that is a route of its own.</summary>
    public static JsonObject OpenApi(TemplateInfo template, string server)
    {
        var tool = new DeclaredTool(SandboxTools.ExecutePythonCode(template));
        var paths = new JsonObject { ["/execute"] = new JsonObject { ["post"] = Execute(tool) } };
        return ToolFormats.OpenApiDocument("Code Executor", tool.Description, server, paths);
    }

    private static IEnumerable<DeclaredTool> All(TemplateInfo template) => SandboxTools.For(template).Select(definition => new DeclaredTool(definition));

    private static JsonObject Execute(DeclaredTool tool) => new()
    {
        ["summary"] = "Execute Python Code",
        ["operationId"] = tool.Name,
        ["requestBody"] = new JsonObject { ["required"] = true, ["content"] = ToolFormats.Json(ToolFormats.Schema(tool)) },
        ["responses"] = new JsonObject
        {
            ["200"] = new JsonObject
            {
                ["description"] = "Successful execution output",
                ["content"] = ToolFormats.Json(new JsonObject
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

    private static JsonObject Property(string type, string description) => new() { ["type"] = type, ["description"] = description };
}
