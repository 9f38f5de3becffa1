using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Newtonsoft.Json.Linq;
using NJsonSchema;
using NJsonSchema.Validation;
using NJsonSchema.Validation.FormatValidators;

namespace Cove.Agent.HostCalls;

/// <summary>
/// The schema that a call's arguments must fit before the tool sees them. The arguments are hostile, and the schema may come from an MCP server:
/// nothing outside of it is fetched, and its patterns are matched in bounded time.
/// </summary>
internal sealed class ArgumentSchema
{
    private const int MaximumDepth = 40;

    /// <summary>How long the patterns of a schema may take for the arguments of one call, all together.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly JsonSchema _schema;
    private readonly List<(string Format, Regex Regex)> _patterns = [];

    public ArgumentSchema(string tool, JsonElement schema)
    {
        try
        {
            var enforced = JsonNode.Parse(schema.ValueKind == JsonValueKind.Object ? schema.GetRawText() : "{}")!;
            Prepare(enforced, isSchema: true);
            _schema = JsonSchema.FromJsonAsync(enforced.ToJsonString()).GetAwaiter().GetResult();
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            throw new ArgumentException($"The schema of the tool '{tool}' can't be used: {failure.Message}", nameof(schema), failure);
        }
    }

    /// <summary>What is wrong, in a sentence or several; null when nothing is.</summary>
    public string? Faults(JsonElement arguments)
    {
        using var text = new Newtonsoft.Json.JsonTextReader(new StringReader(arguments.GetRawText()))
        {
            DateParseHandling = Newtonsoft.Json.DateParseHandling.None, MaxDepth = MaximumDepth,
        };
        try
        {
            var spent = new Spent();
            var validator = new JsonSchemaValidator([.. _patterns.Select(p => new Pattern(p.Format, p.Regex, spent))]);
            var faults = validator.Validate(JToken.ReadFrom(text), _schema).SelectMany(Leaves).Select(Said).Distinct(StringComparer.Ordinal).Take(10).ToList();
            return faults.Count == 0 ? null : string.Join("; ", faults) + ".";
        }
        catch (TimeoutException)
        {
            return "they take too long to check.";
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            return "they hold a number or a nesting that can't be read."; // whatever else the validator makes of hostile text
        }
    }

    /// <summary>What one of several alternatives lacked says more than that none of them was met.</summary>
    private static IEnumerable<ValidationError> Leaves(ValidationError error) =>
        error is ChildSchemaValidationError child && child.Errors.Values.Any(e => e.Count > 0) ? child.Errors.Values.SelectMany(e => e).SelectMany(Leaves) : [error];

    private static string Said(ValidationError error)
    {
        var path = (error.Path ?? "").TrimStart('#', '/');
        var name = Tools.Excerpts.Short(path.Length == 0 ? "the arguments" : path, 100);
        return error.Kind switch
        {
            ValidationErrorKind.PropertyRequired => $"{name} is missing",
            ValidationErrorKind.NoAdditionalPropertiesAllowed => $"{name} is not known",
            ValidationErrorKind.NotInEnumeration => $"{name} must be one of {Tools.Excerpts.Short(string.Join(", ", error.Schema.Enumeration), 300)}",
            ValidationErrorKind.StringExpected => $"{name} must be a text",
            ValidationErrorKind.IntegerExpected => $"{name} must be a whole number",
            ValidationErrorKind.NumberExpected => $"{name} must be a number",
            ValidationErrorKind.BooleanExpected => $"{name} must be true or false",
            ValidationErrorKind.ArrayExpected => $"{name} must be a list",
            ValidationErrorKind.ObjectExpected => $"{name} must be an object",
            _ => $"{name} breaks the rule {error.Kind}",
        };
    }

    /// <summary>Makes of a schema one that the validator enforces as it is meant: patterns as formats of ours, <c>const</c> as an <c>enum</c>.</summary>
    private void Prepare(JsonNode? node, bool isSchema)
    {
        if (node is JsonArray list)
        {
            foreach (var item in list)
            {
                Prepare(item, isSchema);
            }
        }

        if (node is not JsonObject schema)
        {
            return;
        }

        if (schema["$ref"] is JsonValue reference && reference.GetValueKind() == JsonValueKind.String && !reference.GetValue<string>().StartsWith('#'))
        {
            throw new FormatException("it refers to another document.");
        }

        if (isSchema && schema.ContainsKey("patternProperties"))
        {
            throw new FormatException("it has patternProperties, which can't be matched in bounded time; describe such arguments with additionalProperties.");
        }

        Restate(schema);
        foreach (var (name, inner) in schema.ToList())
        {
            Prepare(inner, isSchema: !(isSchema && name is "properties" or "$defs" or "definitions")); // those hold names, and schemas below them
        }
    }

    private void Restate(JsonObject schema)
    {
        if (schema["pattern"] is JsonValue pattern && pattern.GetValueKind() == JsonValueKind.String)
        {
            var format = $"pattern-{_patterns.Count}";
            _patterns.Add((format, Make(pattern.GetValue<string>())));
            schema.Remove("pattern");
            schema["format"] = format;
        }

        if (schema["const"] is JsonValue only)
        {
            schema["enum"] = new JsonArray(only.DeepClone());
            schema.Remove("const");
        }

        if (schema["default"] is JsonValue)
        {
            schema.Remove("default");
        }
    }

    /// <summary>A pattern whose matching ends: without backtracking where the pattern allows it, with a timeout where not.</summary>
    private static Regex Make(string pattern)
    {
        try
        {
            return new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
        }
        catch (NotSupportedException)
        {
            return new Regex(pattern, RegexOptions.CultureInvariant, TimeSpan.FromMilliseconds(200));
        }
    }

    /// <summary>What the patterns took so far: a list of many texts, each of them bounded, would have no bound.</summary>
    private sealed class Spent
    {
        public TimeSpan Time { get; set; }
    }

    private sealed class Pattern(string format, Regex regex, Spent spent) : IFormatValidator
    {
        public string Format => format;

        public ValidationErrorKind ValidationErrorKind => ValidationErrorKind.PatternMismatch;

        public bool IsValid(string value, JTokenType tokenType)
        {
            if (tokenType != JTokenType.String)
            {
                return true;
            }

            if (spent.Time > Patience)
            {
                throw new TimeoutException();
            }

            var begun = TimeProvider.System.GetTimestamp();
            try
            {
                return regex.IsMatch(value);
            }
            catch (RegexMatchTimeoutException)
            {
                return false;
            }
            finally
            {
                spent.Time += TimeProvider.System.GetElapsedTime(begun);
            }
        }
    }
}
