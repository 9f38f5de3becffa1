using Cove.Agent.HttpTools.Declarations;
using Cove.Agent.Schemas;
using Cove.Agent.Tools;

namespace Cove.Agent.HttpTools.Schemas;

/// <summary>Checks a declared JSON schema: only words that are enforced may stand in it. One that is merely skipped would let through what its author thinks is kept out.</summary>
internal static class SchemaRules
{
    private static readonly string[] _types = ["string", "integer", "number", "boolean", "object", "array", "null"];

    private static readonly HashSet<string> _words =
    [
        "type", "title", "description", "default", "examples", "enum", "const", "pattern", "format", "minLength", "maxLength", "minimum", "maximum",
        "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "required",
        "properties", "additionalProperties", "items", "oneOf", "anyOf", "allOf", "not",
    ];

    /// <summary>Refuses what is wrong with it.</summary>
    public static void Check(SourceFile file, Node schema, string path)
    {
        if (schema is not MapNode map)
        {
            throw file.Bad(schema.Line, $"{path} is {schema.Kind}", "Give a JSON schema, for example {type: string}.");
        }

        foreach (var entry in map.Entries)
        {
            if (!_words.Contains(entry.Key))
            {
                throw file.Bad(entry.Line, $"{path}.{Excerpts.Shown(entry.Key)} is a word of JSON schema that is not enforced here", "Say it with: " + string.Join(", ", _words) + ".");
            }

            CheckWord(file, entry, $"{path}.{entry.Key}");
        }

        if (map.Find("required") is ListNode required && map.Find("properties") is var properties
            && required.Items.FirstOrDefault(item => item is not ScalarNode { IsText: true } name || (properties as MapNode)?.Find(name.Text) is null) is { } absent)
        {
            throw file.Bad(absent.Line, $"{path}.required names '{Excerpts.Shown((absent as ScalarNode)?.Text ?? absent.Kind)}', which is none of its properties", "Name a property.");
        }
    }

    private static void CheckWord(SourceFile file, MapEntry entry, string path)
    {
        switch (entry.Key)
        {
            case "type":
                CheckType(file, entry.Value, path);
                break;
            case "pattern":
                CheckPattern(file, entry.Value, path);
                break;
            case "properties":
                foreach (var property in (entry.Value as MapNode ?? throw file.Bad(entry.Line, $"{path} is {entry.Value.Kind}", "Give a mapping of names and schemas.")).Entries)
                {
                    Check(file, property.Value, $"{path}.{property.Key}");
                }

                break;
            case "items" or "not" or "additionalProperties" when !(entry is { Key: "additionalProperties", Value: ScalarNode { Flag: not null } }):
                Check(file, entry.Value, path);
                break;
            case "oneOf" or "anyOf" or "allOf":
                foreach (var one in (entry.Value as ListNode ?? throw file.Bad(entry.Line, $"{path} is {entry.Value.Kind}", "Give a list of schemas.")).Items)
                {
                    Check(file, one, path);
                }

                break;
            case "required" or "enum" or "examples" when entry.Value is not ListNode:
                throw file.Bad(entry.Line, $"{path} is {entry.Value.Kind}", "Give a list.");
            case "uniqueItems" when entry.Value is not ScalarNode { Flag: not null }:
                throw file.Bad(entry.Line, $"{path} is {entry.Value.Kind}", "Give true or false.");
            case "title" or "description" or "format" when entry.Value is not ScalarNode { IsText: true }:
                throw file.Bad(entry.Line, $"{path} is {entry.Value.Kind}", "Give a text; quote it when it looks like a number.");
            case ['m', ..] or ['e', 'x', 'c', ..] when entry.Value is not ScalarNode { Value: not null }: // minLength and its like
                throw file.Bad(entry.Line, $"{path} is {entry.Value.Kind}", "Give a number.");
            default:
                break;
        }
    }

    private static void CheckType(SourceFile file, Node type, string path)
    {
        var names = type is ListNode list ? list.Items : [type];
        if (names.Count == 0 || names.Any(name => (name as ScalarNode)?.Text is not { } text || !_types.Contains(text)))
        {
            throw file.Bad(type.Line, $"{path} is '{Excerpts.Shown((type as ScalarNode)?.Text ?? type.Kind)}'", "Give one, or a list, of: " + string.Join(", ", _types) + ".");
        }
    }

    private static void CheckPattern(SourceFile file, Node pattern, string path)
    {
        if (pattern is not ScalarNode { IsNull: false } text || EcmaPattern.Linear(text.Text) is null)
        {
            throw file.Bad(pattern.Line, $"{path} is '{Excerpts.Shown((pattern as ScalarNode)?.Text ?? pattern.Kind)}', which is no pattern that can be matched in linear time", "Write a regular expression of at most 1,000 characters without back references and look-around.");
        }
    }
}
