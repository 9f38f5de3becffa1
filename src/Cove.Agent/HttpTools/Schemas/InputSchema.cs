using System.Text.Json;
using System.Text.Json.Nodes;
using Cove.Agent.HttpTools.Declarations;
using Newtonsoft.Json.Linq;
using NJsonSchema;
using NJsonSchema.Validation;
using NJsonSchema.Validation.FormatValidators;

namespace Cove.Agent.HttpTools.Schemas;

/// <summary>What a tool takes: told to models as it was declared, and enforced before anything is sent.</summary>
internal sealed class InputSchema
{
    private readonly JsonObject _declared;
    private readonly JsonSchema _schema;
    private readonly JsonSchemaValidator _validator;
    private readonly IReadOnlyDictionary<string, PatternFormat> _patterns;

    private InputSchema(JsonObject declared, JsonSchema schema, IReadOnlyDictionary<string, PatternFormat> patterns)
    {
        (_declared, _schema, _patterns) = (declared, schema, patterns);
        _validator = new JsonSchemaValidator([.. patterns.Values]);
        Json = JsonSerializer.SerializeToElement(declared, SchemaJson.Default.JsonObject);
    }

    /// <summary>As models are told it.</summary>
    public JsonElement Json { get; }

    public static InputSchema Read(SourceFile file, Node node, string path)
    {
        SchemaRules.Check(file, node, path);
        var declared = (JsonObject)node.ToJson()!;
        if (declared["type"] is not JsonValue type || type.GetValueKind() != JsonValueKind.String || type.GetValue<string>() != "object")
        {
            throw file.Bad(node.Line, $"{path}.type is not 'object'", "Give {type: object, properties: {…}}: a tool takes named arguments.");
        }

        declared.TryAdd("additionalProperties", false);
        declared.TryAdd("properties", new JsonObject());
        var patterns = new Dictionary<string, PatternFormat>(StringComparer.Ordinal);
        var enforced = Enforceable((JsonObject)declared.DeepClone(), patterns);
        try
        {
            return new InputSchema(declared, JsonSchema.FromJsonAsync(enforced.ToJsonString()).GetAwaiter().GetResult(), patterns);
        }
        catch (Exception failure) when (failure is Newtonsoft.Json.JsonException or InvalidOperationException or FormatException or OverflowException)
        {
            throw file.Bad(node.Line, $"{path} is no JSON schema: {SourceFile.Short(failure.Message)}", "Correct it.");
        }
    }

    /// <summary>The schema of a property; null when there is none of that name.</summary>
    public JsonObject? Property(string name) => _declared["properties"]?[name] as JsonObject;

    public bool IsRequired(string name) => _declared["required"] is JsonArray required && required.Any(item => (string?)item == name);

    /// <summary>Whether a property holds one text, number or truth.</summary>
    public bool IsScalar(string name) => Property(name)?["type"] is JsonValue type && (string?)type is "string" or "integer" or "number" or "boolean";

    /// <summary>What is wrong with an input, a sentence each; nothing when it may be used. Defaults of properties that are left out are filled in.</summary>
    public IReadOnlyList<string> Check(JsonObject input)
    {
        foreach (var (name, property) in _declared["properties"]!.AsObject())
        {
            if (!input.ContainsKey(name) && property?["default"] is { } missing)
            {
                input[name] = missing.DeepClone();
            }
        }

        // Parsed by the validator's own library: its depth, length and numbers are bounded by then.
        using var text = new Newtonsoft.Json.JsonTextReader(new StringReader(input.ToJsonString())) { DateParseHandling = Newtonsoft.Json.DateParseHandling.None, MaxDepth = InputBounds.MaximumDepth + 2 };
        return [.. _validator.Validate(JToken.ReadFrom(text), _schema).SelectMany(error => InputFaults.Of(error, input, _patterns)).Distinct(StringComparer.Ordinal).Take(20)];
    }

    /// <summary>The same schema in words that the validator enforces as they are meant: patterns as formats of ours, <c>const</c> as an <c>enum</c>.</summary>
    private static JsonNode Enforceable(JsonNode node, Dictionary<string, PatternFormat> patterns)
    {
        if (node is JsonArray list)
        {
            foreach (var item in list.OfType<JsonObject>())
            {
                Enforceable(item, patterns);
            }

            return node;
        }

        if (node is not JsonObject schema)
        {
            return node;
        }

        if (schema["pattern"] is JsonValue pattern)
        {
            schema.Remove("pattern");
            Enforce(schema, patterns, new PatternFormat($"cove-pattern-{patterns.Count}", pattern.ToString()));
        }

        if (schema.ContainsKey("const"))
        {
            schema["enum"] = new JsonArray(schema["const"]?.DeepClone());
            schema.Remove("const");
        }

        foreach (var word in new[] { "items", "not", "additionalProperties", "oneOf", "anyOf", "allOf" })
        {
            if (schema[word] is { } inner)
            {
                Enforceable(inner, patterns);
            }
        }

        foreach (var (_, property) in schema["properties"] as JsonObject ?? [])
        {
            Enforceable(property!, patterns);
        }

        schema.Remove("default");
        schema.Remove("examples");
        return schema;
    }

    private static void Enforce(JsonObject schema, Dictionary<string, PatternFormat> patterns, PatternFormat pattern)
    {
        patterns.Add(pattern.Format, pattern);
        if (schema.TryAdd("format", pattern.Format))
        {
            return;
        }

        var more = schema["allOf"] as JsonArray ?? new JsonArray();
        more.Add((JsonNode)new JsonObject { ["format"] = pattern.Format });
        schema["allOf"] ??= more;
    }
}

/// <summary>A pattern, in the only shape in which the validator takes a matcher of somebody else's.</summary>
internal sealed class PatternFormat(string format, string pattern) : IFormatValidator
{
    private readonly System.Text.RegularExpressions.Regex _regex = EcmaPattern.Parse(pattern)!;

    public string Format => format;

    public string Pattern => pattern;

    public ValidationErrorKind ValidationErrorKind => ValidationErrorKind.PatternMismatch;

    public bool IsValid(string value, JTokenType tokenType) => _regex.IsMatch(value);
}

[System.Text.Json.Serialization.JsonSerializable(typeof(JsonObject))]
internal sealed partial class SchemaJson : System.Text.Json.Serialization.JsonSerializerContext;
