using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cove.Agent.Schemas;

/// <summary>A schema in words that the validator enforces as they are meant: patterns as formats of ours, <c>const</c> as an <c>enum</c>.</summary>
internal sealed class EnforcedSchema
{
    private readonly Dictionary<string, ArgumentPattern> _patterns = new(StringComparer.Ordinal);

    /// <summary>What a part of a schema's document is.</summary>
    private enum Place
    {
        Schema,

        /// <summary>Names, and a schema below each.</summary>
        Names,

        /// <summary>A value of somebody's choice, in which no word means anything.</summary>
        Value,
    }

    /// <summary>The schema, and its patterns by the names of their formats. What is no object allows everything.</summary>
    /// <exception cref="FormatException">It refers to something outside of itself, or holds what can't be matched in bounded time.</exception>
    public static (string Json, IReadOnlyDictionary<string, ArgumentPattern> Patterns) Of(JsonElement schema)
    {
        var made = new EnforcedSchema();
        var node = schema.ValueKind == JsonValueKind.Object ? JsonNode.Parse(schema.GetRawText())! : new JsonObject();
        made.Prepare(node, Place.Schema);
        return (node.ToJsonString(), made._patterns);
    }

    private void Prepare(JsonNode? node, Place place)
    {
        if (node is JsonArray list)
        {
            foreach (var item in list)
            {
                Prepare(item, place);
            }
        }

        if (node is not JsonObject part)
        {
            return;
        }

        // Wherever it stands: whether the validator takes it for a reference is not ours to know.
        if (part["$ref"] is JsonValue reference && reference.GetValueKind() == JsonValueKind.String && !reference.GetValue<string>().StartsWith('#'))
        {
            throw new FormatException("it refers to another document");
        }

        if (place == Place.Schema)
        {
            Restate(part);
        }

        foreach (var (name, inner) in part.ToList())
        {
            Prepare(inner, Below(place, name));
        }
    }

    private static Place Below(Place place, string name) => place switch
    {
        Place.Names => Place.Schema,
        Place.Schema when name is "enum" => Place.Value,
        Place.Schema when name is "properties" or "$defs" or "definitions" => Place.Names,
        _ => place,
    };

    private void Restate(JsonObject schema)
    {
        if (schema.ContainsKey("patternProperties"))
        {
            throw new FormatException("it has patternProperties, which can't be matched in bounded time; describe such arguments with additionalProperties");
        }

        if (schema["pattern"] is JsonValue pattern)
        {
            schema.Remove("pattern");
            Enforce(schema, pattern.ToString());
        }

        if (schema.ContainsKey("const"))
        {
            schema["enum"] = new JsonArray(schema["const"]?.DeepClone());
            schema.Remove("const");
        }

        schema.Remove("default");
        schema.Remove("examples");
    }

    private void Enforce(JsonObject schema, string pattern)
    {
        var format = $"cove-pattern-{_patterns.Count}";
        _patterns.Add(format, new ArgumentPattern(format, pattern, EcmaPattern.Bounded(pattern)));
        if (schema.TryAdd("format", format))
        {
            return;
        }

        var more = schema["allOf"] as JsonArray ?? [];
        more.Add((JsonNode)new JsonObject { ["format"] = format });
        schema["allOf"] ??= more;
    }
}
