using System.Reflection;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Cove.Tests.Description;

/// <summary>JSON schemas of what crosses the wire, made from the same source-generated context that writes it: each object type is a component of its own.</summary>
internal sealed class SchemaExport
{
    private readonly XmlSummaries _summaries = new();
    private readonly SortedDictionary<string, JsonObject> _components = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Type> _named = [];

    public JsonObject Components()
    {
        var all = new JsonObject();
        foreach (var (name, schema) in _components)
        {
            all[name] = schema.DeepClone();
        }

        return all;
    }

    public JsonObject Reference(Type type, JsonSerializerContext json) => Reference(json.GetTypeInfo(type)
        ?? throw new InvalidOperationException($"{json.GetType().Name} does not hold {type.Name}: add [JsonSerializable(typeof({type.Name}))], or name the context that does in the Operation."));

    private JsonObject Reference(JsonTypeInfo info)
    {
        if (info.Kind != JsonTypeInfoKind.Object)
        {
            return (JsonObject)Export(info);
        }

        var name = info.Type.Name;
        if (!_named.TryAdd(name, info.Type))
        {
            return _named[name] == info.Type ? To(name) : throw new InvalidOperationException($"{info.Type} and {_named[name]} would both be the component {name}.");
        }

        _components[name] = info.PolymorphismOptions is { } options ? Union(info, options) : (JsonObject)Export(info);
        return To(name);
    }

    private JsonObject Union(JsonTypeInfo info, JsonPolymorphismOptions options)
    {
        var (oneOf, mapping) = (new JsonArray(), new JsonObject());
        var discriminator = options.TypeDiscriminatorPropertyName;
        foreach (var derived in options.DerivedTypes)
        {
            var word = (string)derived.TypeDiscriminator!;
            var reference = Reference(info.Options.GetTypeInfo(derived.DerivedType));
            var schema = _components[derived.DerivedType.Name];
            schema["properties"]![discriminator] = new JsonObject { ["const"] = word };
            (schema["required"] ??= new JsonArray()).AsArray().Add(discriminator);
            mapping[word] = reference["$ref"]!.GetValue<string>();
            oneOf.Add((JsonNode)reference);
        }

        return new JsonObject
        {
            ["description"] = _summaries.Of(info.Type),
            ["oneOf"] = oneOf,
            ["discriminator"] = new JsonObject { ["propertyName"] = discriminator, ["mapping"] = mapping },
        };
    }

    private JsonNode Export(JsonTypeInfo info) => info.GetJsonSchemaAsNode(new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = Transform });

    private JsonNode Transform(JsonSchemaExporterContext context, JsonNode schema)
    {
        var isRoot = context.Path.IsEmpty;
        var type = Nullable.GetUnderlyingType(context.TypeInfo.Type) ?? context.TypeInfo.Type;
        var made = Scalar(type) ?? (context.TypeInfo.Kind == JsonTypeInfoKind.Object && !isRoot ? Reference(context.TypeInfo) : WithoutNull(schema));
        var said = context.PropertyInfo?.AttributeProvider is MemberInfo member ? _summaries.Of(member) : isRoot ? _summaries.Of(type) : null;
        if (said is not null && made is JsonObject full)
        {
            full["description"] = said;
        }

        return made;
    }

    private static JsonObject To(string name) => new() { ["$ref"] = "#/components/schemas/" + name };

    /// <summary>What a converter of its own writes, which the exporter can't know.</summary>
    private static JsonObject? Scalar(Type type) => type switch
    {
        _ when type == typeof(TimeSpan) => new JsonObject { ["type"] = "number" },
        _ when type == typeof(DateTimeOffset) => new JsonObject { ["type"] = "string", ["format"] = "date-time" },
        _ when type == typeof(SandboxId) || type == typeof(RunId) => new JsonObject { ["type"] = "string", ["pattern"] = "^[a-z0-9]{1,40}$" },
        _ when type == typeof(ReadOnlyMemory<byte>) => new JsonObject { ["type"] = "string", ["contentEncoding"] = "base64" },
        _ => null,
    };

    /// <summary>What is null is left out of answers, and may be left out of requests: saying so for every field would only hide what matters.</summary>
    private static JsonNode WithoutNull(JsonNode schema)
    {
        if (schema is not JsonObject full)
        {
            return schema;
        }

        if (full["type"] is JsonArray types)
        {
            var left = types.Select(t => t!.GetValue<string>()).Where(t => t != "null").ToArray();
            full["type"] = left.Length == 1 ? left[0] : new JsonArray([.. left.Select(t => (JsonNode)t)]);
        }

        if (full["enum"] is JsonArray words)
        {
            words.RemoveAll(word => word is null);
            full["type"] = "string";
        }

        return full;
    }
}
