using System.Text.Json;
using Cove.ScriptedModel.Playing;

namespace Cove.ScriptedModel.Wire;

/// <summary>Checks the tools a request offers.</summary>
internal static class ToolChecks
{
    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        "type", "name", "description", "input_schema", "allowed_callers", "cache_control", "defer_loading", "eager_input_streaming", "input_examples", "strict",
    };

    private static readonly string[] Unions = ["oneOf", "allOf", "anyOf"];

    public static void Check(JsonElement request)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        if (request.TryGetProperty("tools", out var tools))
        {
            if (tools.ValueKind != JsonValueKind.Array)
            {
                throw ApiException.Invalid("tools: Input should be a valid list");
            }

            foreach (var (tool, index) in tools.EnumerateArray().Select((tool, index) => (tool, index)))
            {
                One(tool, $"tools.{index}", names);
            }
        }

        Choice(request, names);
    }

    private static void One(JsonElement tool, string at, HashSet<string> names)
    {
        if (tool.ValueKind != JsonValueKind.Object)
        {
            throw ApiException.Invalid($"{at}: Input should be a valid dictionary");
        }

        // What is typed, as bash_20250124 is, has its schema at the model's side and fields of its own.
        var custom = Content.Type(tool) is null or "custom";
        if (custom && tool.EnumerateObject().Select(p => p.Name).FirstOrDefault(name => !Known.Contains(name)) is { } strange)
        {
            throw ApiException.Invalid($"{at}.custom.{strange}: Extra inputs are not permitted");
        }

        if (!tool.TryGetProperty("name", out var name) || name.ValueKind != JsonValueKind.String)
        {
            if (Content.Type(tool) == "mcp_toolset")
            {
                return;
            }

            throw ApiException.Invalid($"{at}.{(custom ? "custom.name" : "name")}: Field required");
        }

        if (!RequestChecks.ToolName().IsMatch(name.GetString()!))
        {
            throw ApiException.Invalid($"{at}.{(custom ? "custom.name" : "name")}: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'");
        }

        if (!names.Add(name.GetString()!))
        {
            throw ApiException.Invalid("tools: Tool names must be unique.");
        }

        if (custom)
        {
            Schema(tool, at);
        }
    }

    private static void Schema(JsonElement tool, string at)
    {
        if (!tool.TryGetProperty("input_schema", out var schema) || schema.ValueKind != JsonValueKind.Object)
        {
            throw ApiException.Invalid($"{at}.custom.input_schema: Field required");
        }

        if (Content.Type(schema) is not "object")
        {
            throw ApiException.Invalid(Content.Type(schema) is null ? $"{at}.custom.input_schema.type: Field required" : $"{at}.custom.input_schema.type: Input should be 'object'");
        }

        if (Unions.Any(word => schema.TryGetProperty(word, out _)))
        {
            throw ApiException.Invalid($"{at}.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level");
        }
    }

    private static void Choice(JsonElement request, HashSet<string> names)
    {
        if (!request.TryGetProperty("tool_choice", out var choice) || choice.ValueKind == JsonValueKind.Null)
        {
            return;
        }

        if (Content.Type(choice) is not ("auto" or "any" or "tool" or "none"))
        {
            throw ApiException.Invalid("tool_choice.type: Input should be 'auto', 'any', 'tool' or 'none'");
        }

        if (names.Count == 0)
        {
            throw ApiException.Invalid("tool_choice: tool_choice may only be specified while providing tools");
        }

        if (Content.Type(choice) == "tool" && (!choice.TryGetProperty("name", out var name) || !names.Contains(name.GetString() ?? "")))
        {
            throw ApiException.Invalid("tool_choice.name: Tool not found in provided tools");
        }
    }
}
