using System.Text.Json.Nodes;
using Cove.Agent.HttpTools;
using Cove.Wire;

namespace Cove.Server.Tools.Declared;

/// <summary>Declared tools as OpenAPI tells them: each under its route, or under its name.</summary>
internal static class DeclaredDescription
{
    private static readonly (string Status, string Description)[] _failures =
    [
        ("400", "The input is not what the tool takes, or the other side refused it."),
        ("404", "The other side has not what the input names."),
        ("429", "The other side wants to be asked less often."),
        ("502", "The other side failed."),
    ];

    public static string PathOf(HttpTool tool) => tool.Declaration.Route ?? "/tools/" + tool.Name;

    /// <summary>Adds them to a document's paths.</summary>
    public static void AddTo(JsonObject paths, ServerTools tools)
    {
        foreach (var tool in tools.Http)
        {
            paths[PathOf(tool)] = new JsonObject { ["post"] = Of(tool) };
        }
    }

    private static JsonObject Of(HttpTool tool)
    {
        var responses = new JsonObject { ["200"] = Answer("What the tool's declaration picks of the answer.", JsonNode.Parse(tool.ReturnJsonSchema!.Value.GetRawText())!) };
        foreach (var (status, description) in _failures)
        {
            responses[status] = Answer(description, Refusal(), Problem.MediaType);
        }

        return new JsonObject
        {
            ["operationId"] = tool.Name,
            ["summary"] = $"Calls the tool {tool.Name}.",
            ["description"] = tool.Description,
            ["x-cove-scope"] = "tools",
            ["requestBody"] = new JsonObject { ["required"] = true, ["content"] = Content(JsonNode.Parse(tool.JsonSchema.GetRawText())!) },
            ["responses"] = responses,
        };
    }

    /// <summary>Written out, so that it means the same in any document.</summary>
    private static JsonObject Refusal() => new()
    {
        ["type"] = "object",
        ["properties"] = new JsonObject
        {
            ["success"] = new JsonObject { ["const"] = false },
            ["error"] = new JsonObject { ["type"] = "string" },
            ["code"] = new JsonObject { ["type"] = "string" },
            ["retryable"] = new JsonObject { ["type"] = "boolean" },
            ["remediation"] = new JsonObject { ["type"] = "string" },
        },
        ["required"] = new JsonArray("success", "error", "code", "retryable", "remediation"),
    };

    private static JsonObject Answer(string description, JsonNode schema, string mediaType = "application/json") => new() { ["description"] = description, ["content"] = Content(schema, mediaType) };

    private static JsonObject Content(JsonNode schema, string mediaType = "application/json") => new() { [mediaType] = new JsonObject { ["schema"] = schema } };
}
