using Cove.Agent.Tools;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;
using NJsonSchema;
using NJsonSchema.Validation;

namespace Cove.Agent.Schemas;

/// <summary>What the validator found, as sentences that name the field, its value and what would be right. Pure.</summary>
internal static class ArgumentFaults
{
    private const int MaximumName = 100;
    private const int MaximumRule = 300;

    public static IEnumerable<string> Of(ValidationError error, JToken arguments, IReadOnlyDictionary<string, ArgumentPattern> patterns)
    {
        // A part of the schema that was not met says more than "one of them was not met"; of alternatives every one has its say.
        if (error is ChildSchemaValidationError child && child.Errors.Values.Any(errors => errors.Count > 0))
        {
            return child.Errors.Values.SelectMany(errors => errors).SelectMany(inner => Of(inner, arguments, patterns));
        }

        var path = (error.Path ?? "").TrimStart('#', '/');
        return [$"{(path.Length == 0 ? "the input" : Excerpts.Shown(path, MaximumName))} {Said(error, Value(arguments, path), patterns)}"];
    }

    private static string Said(ValidationError error, string value, IReadOnlyDictionary<string, ArgumentPattern> patterns)
    {
        var schema = error.Schema;
        return error.Kind switch
        {
            ValidationErrorKind.PropertyRequired => "is missing: give it",
            ValidationErrorKind.NoAdditionalPropertiesAllowed => "is not known: leave it out",
            ValidationErrorKind.PatternMismatch => $"is {value}: give a text that matches {Pattern(schema, patterns)}",
            ValidationErrorKind.StringExpected => $"is {value}: give a text",
            ValidationErrorKind.IntegerExpected => $"is {value}: give a whole number",
            ValidationErrorKind.NumberExpected => $"is {value}: give a number",
            ValidationErrorKind.BooleanExpected => $"is {value}: give true or false",
            ValidationErrorKind.ArrayExpected => $"is {value}: give a list",
            ValidationErrorKind.ObjectExpected => $"is {value}: give an object",
            ValidationErrorKind.StringTooShort => $"is {value}: give at least {schema.MinLength} characters",
            ValidationErrorKind.StringTooLong => $"is {value}: give at most {schema.MaxLength} characters",
            ValidationErrorKind.NumberTooSmall or ValidationErrorKind.IntegerTooBig or ValidationErrorKind.NumberTooBig => $"is {value}: stay within {schema.Minimum?.ToString() ?? "…"} to {schema.Maximum?.ToString() ?? "…"}",
            ValidationErrorKind.NotInEnumeration => $"is {value}: give one of {Excerpts.Shown(string.Join(", ", schema.Enumeration.Take(30)), MaximumRule)}",
            ValidationErrorKind.TooManyItems => $"has too many items: give at most {schema.MaxItems}",
            ValidationErrorKind.TooFewItems => $"has too few items: give at least {schema.MinItems}",
            _ => $"is {value}, against the rule '{error.Kind}'",
        };
    }

    /// <summary>The pattern stands as a format, or beside one that was there in a part of its own.</summary>
    private static string Pattern(JsonSchema schema, IReadOnlyDictionary<string, ArgumentPattern> patterns) =>
        schema.AllOf.Prepend(schema).Select(part => patterns.GetValueOrDefault(part.Format ?? "")).FirstOrDefault(pattern => pattern is not null) is { } found
            ? Excerpts.Shown(found.Text, MaximumRule) : "its pattern";

    /// <summary>The value at a path, as a message can show it. A name with a dot in it can't be told from two names; then the message does without.</summary>
    private static string Value(JToken arguments, string path)
    {
        JToken? at = arguments;
        foreach (var step in path.Split('.', '[', ']').Where(step => step.Length > 0))
        {
            at = at switch
            {
                JObject full => full[step],
                JArray list when int.TryParse(step, out var index) && index >= 0 && index < list.Count => list[index],
                _ => null,
            };
        }

        return at is null ? "not acceptable" : at.Type == JTokenType.String ? $"'{Excerpts.Shown((string)at!)}'" : Excerpts.Shown(at.ToString(Formatting.None));
    }
}
