using System.Text.Json.Nodes;
using NJsonSchema.Validation;

namespace Cove.Agent.HttpTools.Schemas;

/// <summary>What the validator found, as sentences that name the field, its value and what would be right.</summary>
internal static class InputFaults
{
    public static IEnumerable<string> Of(ValidationError error, JsonObject input, IReadOnlyDictionary<string, PatternFormat> patterns)
    {
        // A part of the schema that was not met says more than "one of them was not met"; of alternatives every one has its say.
        if (error is ChildSchemaValidationError child && child.Errors.Values.Any(errors => errors.Count > 0))
        {
            return child.Errors.Values.SelectMany(errors => errors).SelectMany(inner => Of(inner, input, patterns));
        }

        var path = (error.Path ?? "").TrimStart('#', '/');
        return [$"{(path.Length == 0 ? "the input" : path)} {Said(error, input, path, patterns)}"];
    }

    /// <summary>A text as a message can show it.</summary>
    public static string Short(string text) => new([.. text.Take(60).Select(c => char.IsControl(c) ? '?' : c), .. text.Length > 60 ? "…" : ""]);

    private static string Said(ValidationError error, JsonObject input, string path, IReadOnlyDictionary<string, PatternFormat> patterns)
    {
        var schema = error.Schema;
        return error.Kind switch
        {
            ValidationErrorKind.PropertyRequired => "is missing: give it",
            ValidationErrorKind.NoAdditionalPropertiesAllowed => "is not known: leave it out",
            ValidationErrorKind.PatternMismatch => $"is {Value(input, path)}: give a text that matches {(patterns.TryGetValue(schema.Format ?? "", out var own) ? own.Pattern : PatternOf(schema, patterns))}",
            ValidationErrorKind.StringExpected => $"is {Value(input, path)}: give a text",
            ValidationErrorKind.IntegerExpected => $"is {Value(input, path)}: give a whole number",
            ValidationErrorKind.NumberExpected => $"is {Value(input, path)}: give a number",
            ValidationErrorKind.BooleanExpected => $"is {Value(input, path)}: give true or false",
            ValidationErrorKind.ArrayExpected => $"is {Value(input, path)}: give a list",
            ValidationErrorKind.ObjectExpected => $"is {Value(input, path)}: give an object",
            ValidationErrorKind.StringTooShort => $"is {Value(input, path)}: give at least {schema.MinLength} characters",
            ValidationErrorKind.StringTooLong => $"is {Value(input, path)}: give at most {schema.MaxLength} characters",
            ValidationErrorKind.NumberTooSmall or ValidationErrorKind.IntegerTooBig or ValidationErrorKind.NumberTooBig => $"is {Value(input, path)}: stay within {schema.Minimum?.ToString() ?? "…"} to {schema.Maximum?.ToString() ?? "…"}",
            ValidationErrorKind.NotInEnumeration => $"is {Value(input, path)}: give one of {string.Join(", ", schema.Enumeration.Take(30))}",
            ValidationErrorKind.TooManyItems => $"has too many items: give at most {schema.MaxItems}",
            ValidationErrorKind.TooFewItems => $"has too few items: give at least {schema.MinItems}",
            _ => $"is {Value(input, path)}, against the rule '{error.Kind}'",
        };
    }

    private static string PatternOf(NJsonSchema.JsonSchema schema, IReadOnlyDictionary<string, PatternFormat> patterns) =>
        schema.AllOf.Select(part => patterns.GetValueOrDefault(part.Format ?? "")?.Pattern).FirstOrDefault(pattern => pattern is not null) ?? "its pattern";

    private static string Value(JsonObject input, string path)
    {
        JsonNode? at = input;
        foreach (var step in path.Split('.', '[', ']').Where(step => step.Length > 0))
        {
            at = at switch
            {
                JsonObject full => full[step],
                JsonArray list when int.TryParse(step, out var index) && index < list.Count => list[index],
                _ => null,
            };
        }

        return at is null ? "null" : at is JsonValue value && value.TryGetValue<string>(out var text) ? $"'{Short(text)}'" : Short(at.ToJsonString());
    }
}
