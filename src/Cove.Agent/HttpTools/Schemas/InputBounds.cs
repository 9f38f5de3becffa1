using System.Text.Json;
using System.Text.Json.Nodes;
using Cove.Agent.Tools;

namespace Cove.Agent.HttpTools.Schemas;

/// <summary>What an input may be before anything looks into it. It is a model's, or whoever's a server listens to.</summary>
internal static class InputBounds
{
    /// <summary>The largest input, in characters of JSON.</summary>
    public const int MaximumLength = 1 << 20;

    /// <summary>How deep values may be nested.</summary>
    public const int MaximumDepth = 32;

    private const int MaximumValues = 10_000;
    private const int MaximumNumber = 40;

    /// <summary>The input as an object of its own, or what is wrong with it.</summary>
    public static (JsonObject? Input, string? Fault) Read(JsonElement input)
    {
        if (input.ValueKind != JsonValueKind.Object)
        {
            return (null, $"the input is a JSON {input.ValueKind.ToString().ToLowerInvariant()}, not an object");
        }

        if (input.GetRawText().Length > MaximumLength)
        {
            return (null, $"the input is longer than {MaximumLength} characters");
        }

        var values = 0;
        try
        {
            return Fault(input, 1, ref values) is { } fault ? (null, fault) : ((JsonObject)Copy(input)!, null);
        }
        catch (InvalidOperationException)
        {
            return (null, "the input holds a text with half of a surrogate pair");
        }
    }

    private static string? Fault(JsonElement value, int depth, ref int values)
    {
        if (depth > MaximumDepth)
        {
            return $"the input is nested deeper than {MaximumDepth}";
        }

        if (++values > MaximumValues)
        {
            return $"the input has more than {MaximumValues} values";
        }

        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                var names = new HashSet<string>(StringComparer.Ordinal);
                foreach (var property in value.EnumerateObject())
                {
                    if (!names.Add(property.Name))
                    {
                        return $"the input has '{Excerpts.Shown(property.Name)}' twice";
                    }

                    if (Fault(property.Value, depth + 1, ref values) is { } inner)
                    {
                        return inner;
                    }
                }

                return null;
            case JsonValueKind.Array:
                foreach (var item in value.EnumerateArray())
                {
                    if (Fault(item, depth + 1, ref values) is { } inner)
                    {
                        return inner;
                    }
                }

                return null;
            case JsonValueKind.Number:
                return value.GetRawText().Length > MaximumNumber || !value.TryGetDouble(out var number) || !double.IsFinite(number) ? $"the number {Excerpts.Shown(value.GetRawText())} is too long or too large" : null;
            case JsonValueKind.String:
                _ = value.GetString();
                return null;
            default:
                return null;
        }
    }

    private static JsonNode? Copy(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => new JsonObject(value.EnumerateObject().Select(property => KeyValuePair.Create(property.Name, Copy(property.Value)))),
        JsonValueKind.Array => new JsonArray([.. value.EnumerateArray().Select(Copy)]),
        JsonValueKind.Null => null,
        JsonValueKind.String => JsonValue.Create(value.GetString()),
        JsonValueKind.True => JsonValue.Create(true),
        JsonValueKind.False => JsonValue.Create(false),
        _ => JsonNode.Parse(value.GetRawText()),
    };
}
