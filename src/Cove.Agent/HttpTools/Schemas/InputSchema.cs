using System.Text.Json;
using System.Text.Json.Nodes;
using Cove.Agent.HttpTools.Declarations;
using Cove.Agent.Schemas;
using Cove.Agent.Tools;

namespace Cove.Agent.HttpTools.Schemas;

/// <summary>What a tool takes: told to models as it was declared, and enforced before anything is sent.</summary>
internal sealed class InputSchema
{
    private readonly JsonObject _declared;
    private readonly ArgumentSchema _schema;

    private InputSchema(JsonObject declared)
    {
        _declared = declared;
        Json = JsonSerializer.SerializeToElement(declared, SchemaJson.Default.JsonObject);
        _schema = new ArgumentSchema(Json);
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
        try
        {
            return new InputSchema(declared);
        }
        catch (FormatException failure)
        {
            throw file.Bad(node.Line, $"{path} is no JSON schema: {Excerpts.Shown(failure.Message)}", "Correct it.");
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

        return _schema.Faults(input.ToJsonString());
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(JsonObject))]
internal sealed partial class SchemaJson : System.Text.Json.Serialization.JsonSerializerContext;
