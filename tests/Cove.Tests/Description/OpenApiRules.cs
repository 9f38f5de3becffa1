using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Cove.Tests.Description;

/// <summary>What OpenAPI 3.1 demands of a document, as far as this one uses it: required fields, references that lead somewhere, parameters that match their path, schemas that mean something.</summary>
internal static partial class OpenApiRules
{
    private static readonly string[] _types = ["object", "array", "string", "integer", "number", "boolean", "null"];
    private static readonly string[] _places = ["path", "query", "header"];

    /// <summary>What is wrong, each with its place.</summary>
    public static List<string> Broken(JsonObject document)
    {
        var broken = new List<string>();
        if (document["openapi"]?.GetValue<string>() is not { } version || !version.StartsWith("3.1.", StringComparison.Ordinal))
        {
            broken.Add($"openapi is {document["openapi"]}");
        }

        foreach (var field in new[] { "title", "version" })
        {
            Need(broken, document["info"]?[field] is JsonValue, $"info.{field} is missing");
        }

        References(broken, document, document, "#");
        foreach (var (path, item) in document["paths"]?.AsObject() ?? [])
        {
            Need(broken, path.StartsWith('/'), $"{path} does not begin with /");
            foreach (var (method, operation) in item!.AsObject())
            {
                OperationOf(broken, document, $"{method} {path}", path, operation!.AsObject());
            }
        }

        foreach (var (name, schema) in document["components"]?["schemas"]?.AsObject() ?? [])
        {
            Schema(broken, name, schema);
        }

        return broken;
    }

    private static void OperationOf(List<string> broken, JsonObject document, string at, string path, JsonObject operation)
    {
        Need(broken, operation["operationId"] is JsonValue, $"{at} has no operationId");
        var parameters = (operation["parameters"]?.AsArray() ?? []).Select(p => p!.AsObject()).ToArray();
        foreach (var parameter in parameters)
        {
            Need(broken, parameter["name"] is JsonValue && _places.Contains(parameter["in"]?.GetValue<string>()), $"{at}: a parameter without name or place");
            Schema(broken, $"{at} {parameter["name"]}", parameter["schema"]);
        }

        Need(broken, parameters.DistinctBy(p => $"{p["in"]} {p["name"]}").Count() == parameters.Length, $"{at}: a parameter twice");
        var declared = parameters.Where(p => p["in"]?.GetValue<string>() == "path" && p["required"]?.GetValue<bool>() == true).Select(p => p["name"]!.GetValue<string>()).Order(StringComparer.Ordinal);
        var used = Braces().Matches(path).Select(m => m.Groups["name"].Value).Order(StringComparer.Ordinal).ToArray();
        Need(broken, declared.SequenceEqual(used), $"{at}: the path's parameters {string.Join(", ", used)} are not those declared");
        Need(broken, operation["requestBody"] is not JsonObject body || body["content"] is JsonObject { Count: > 0 }, $"{at}: a body without content");
        Need(broken, operation["responses"] is JsonObject { Count: > 0 }, $"{at}: no responses");
        foreach (var (status, response) in operation["responses"]?.AsObject() ?? [])
        {
            Need(broken, status == "default" || Status().IsMatch(status), $"{at}: the status {status}");
            Need(broken, response!["$ref"] is not null || response["description"] is JsonValue, $"{at} {status}: no description");
        }

        foreach (var scheme in (operation["security"] ?? document["security"])?.AsArray().SelectMany(s => s!.AsObject()) ?? [])
        {
            Need(broken, document["components"]?["securitySchemes"]?[scheme.Key] is JsonObject, $"{at}: the security scheme {scheme.Key} is not there");
        }
    }

    private static void Schema(List<string> broken, string at, JsonNode? schema)
    {
        if (schema is not JsonObject full)
        {
            Need(broken, schema is JsonValue, $"{at}: no schema");
            return;
        }

        foreach (var type in full["type"] is JsonArray many ? many : full["type"] is { } one ? [one.DeepClone()] : new JsonArray())
        {
            Need(broken, _types.Contains(type!.GetValue<string>()), $"{at}: the type {type}");
        }

        var properties = full["properties"] as JsonObject ?? [];
        foreach (var name in full["required"] as JsonArray ?? [])
        {
            Need(broken, properties.ContainsKey(name!.GetValue<string>()), $"{at}: '{name}' is required and no property");
        }

        foreach (var (name, property) in properties)
        {
            Schema(broken, $"{at}.{name}", property);
        }

        if (full["items"] is { } items)
        {
            Schema(broken, at + "[]", items);
        }
    }

    private static void References(List<string> broken, JsonObject document, JsonNode? node, string at)
    {
        switch (node)
        {
            case JsonArray array:
                for (var i = 0; i < array.Count; i++)
                {
                    References(broken, document, array[i], $"{at}/{i}");
                }

                break;
            case JsonObject full:
                foreach (var (name, value) in full)
                {
                    if (name == "$ref" && value is JsonValue target)
                    {
                        Need(broken, LeadsSomewhere(document, target.GetValue<string>()), $"{at}: {target} leads nowhere");
                    }
                    else if (name == "mapping" && value is JsonObject mapping)
                    {
                        Need(broken, mapping.All(m => LeadsSomewhere(document, m.Value!.GetValue<string>())), $"{at}/mapping leads nowhere");
                    }
                    else
                    {
                        References(broken, document, value, $"{at}/{name}");
                    }
                }

                break;
            default:
                break;
        }
    }

    private static bool LeadsSomewhere(JsonNode document, string reference) =>
        reference.StartsWith("#/", StringComparison.Ordinal)
        && reference[2..].Split('/').Aggregate((JsonNode?)document, (at, part) => at is JsonObject full ? full[part] : null) is not null;

    private static void Need(List<string> broken, bool holds, string otherwise)
    {
        if (!holds)
        {
            broken.Add(otherwise);
        }
    }

    [GeneratedRegex(@"\{(?<name>\w+)\}", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Braces();

    [GeneratedRegex("^[1-5][0-9X]{2}$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Status();
}
