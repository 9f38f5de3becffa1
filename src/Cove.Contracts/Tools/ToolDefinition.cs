using System.Text.Json.Nodes;

namespace Cove.Tools;

/// <summary>A tool as a model is told of it: what it is called, what it does, what it takes. The one source of every form in which it is told.</summary>
public sealed record ToolDefinition
{
    /// <summary>Its name: lowercase words joined by underscores.</summary>
    public required string Name { get; init; }

    /// <summary>What it does and when to use it, for the model.</summary>
    public required string Description { get; init; }

    /// <summary>What it takes.</summary>
    public required IReadOnlyList<ToolParameter> Parameters { get; init; }

    /// <summary>The JSON schema of its input; a new one at each call.</summary>
    public JsonObject InputSchema()
    {
        var properties = new JsonObject();
        var required = new JsonArray();
        foreach (var parameter in Parameters)
        {
            properties[parameter.Name] = parameter.Schema();
            if (parameter.Required)
            {
                required.Add((JsonNode?)JsonValue.Create(parameter.Name));
            }
        }

        return new JsonObject { ["type"] = "object", ["properties"] = properties, ["required"] = required };
    }
}

/// <summary>One thing a tool takes.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its JSON schema type.</param>
/// <param name="Description">What it means, with unit and default.</param>
public sealed record ToolParameter(string Name, string Type, string Description)
{
    /// <summary>Whether it must be given. Default yes.</summary>
    public bool Required { get; init; } = true;

    /// <summary>What a whole number is when it is left out.</summary>
    public int? Default { get; init; }

    /// <summary>The only texts it may be; null: any.</summary>
    public IReadOnlyList<string>? OneOf { get; init; }

    /// <summary>The JSON schema type of an array's elements; null when it is none.</summary>
    public string? ElementType { get; init; }

    /// <summary>Its JSON schema.</summary>
    public JsonObject Schema()
    {
        var schema = new JsonObject { ["type"] = Type, ["description"] = Description };
        if (OneOf is not null)
        {
            schema["enum"] = new JsonArray([.. OneOf.Select(text => (JsonNode?)JsonValue.Create(text))]);
        }

        if (ElementType is not null)
        {
            schema["items"] = new JsonObject { ["type"] = ElementType };
        }

        if (Default is { } number)
        {
            schema["default"] = number;
        }

        return schema;
    }
}
