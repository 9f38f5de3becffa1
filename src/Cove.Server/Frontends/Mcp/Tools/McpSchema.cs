using System.ComponentModel;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization.Metadata;

namespace Cove.Server.Frontends.Mcp.Tools;

/// <summary>The JSON schemas of tools, made of the types that are read and written.</summary>
internal static class McpSchema
{
    private const string Error = "error";

    private static readonly JsonSchemaExporterOptions _options = new() { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = Describe };

    /// <summary>What a tool takes.</summary>
    public static JsonElement Input(JsonTypeInfo type) => Element(Export(type));

    /// <summary>What a tool answers: all of its members, or the error alone.</summary>
    public static JsonElement Output(JsonTypeInfo type)
    {
        var schema = Export(type);
        var properties = schema["properties"]!.AsObject();
        if (!properties.ContainsKey(Error))
        {
            properties[Error] = Export(McpJson.Default.FailedAnswer)["properties"]![Error]!.DeepClone();
        }

        var all = schema["required"]!.DeepClone();
        schema.Remove("required");
        schema["anyOf"] = new JsonArray(new JsonObject { ["required"] = all }, new JsonObject { ["required"] = new JsonArray(Error) });
        return Element(schema);
    }

    private static JsonObject Export(JsonTypeInfo type)
    {
        var schema = type.GetJsonSchemaAsNode(_options).AsObject();
        schema["type"] = "object";
        return schema;
    }

    private static JsonNode Describe(JsonSchemaExporterContext context, JsonNode schema)
    {
        var told = context.PropertyInfo?.AttributeProvider?.GetCustomAttributes(typeof(DescriptionAttribute), inherit: false).OfType<DescriptionAttribute>().FirstOrDefault();
        if (told is not null && schema is JsonObject named)
        {
            named.Insert(0, "description", told.Description);
        }

        return schema;
    }

    private static JsonElement Element(JsonObject schema)
    {
        using var document = JsonDocument.Parse(schema.ToJsonString());
        return document.RootElement.Clone();
    }
}
