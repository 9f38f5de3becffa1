using System.Text.Json;
using Newtonsoft.Json.Linq;
using NJsonSchema;

namespace Cove.Agent.Schemas;

/// <summary>
/// The schema that a call's arguments must fit before anything is done with them. The arguments are hostile, and the schema may come from an MCP server:
/// nothing outside of it is fetched, and it is held against arguments in bounded time, its patterns included.
/// </summary>
internal sealed class ArgumentSchema
{
    private const int MaximumDepth = 40;
    private const int MaximumFaults = 10;

    private readonly JsonSchema _schema;
    private readonly IReadOnlyDictionary<string, ArgumentPattern> _patterns;

    /// <exception cref="FormatException">It is no schema, or one that can't be enforced; the message says why.</exception>
    public ArgumentSchema(JsonElement schema)
    {
        try
        {
            (var enforced, _patterns) = EnforcedSchema.Of(schema);
            _schema = JsonSchema.FromJsonAsync(enforced).GetAwaiter().GetResult();
        }
        catch (Exception failure) when (failure is not (OutOfMemoryException or FormatException))
        {
            throw new FormatException(failure.Message.TrimEnd('.'), failure);
        }
    }

    /// <summary>What is wrong with arguments, given as JSON: a sentence each that names the field, its value and what would be right. Nothing when they may be used.</summary>
    public IReadOnlyList<string> Faults(string arguments)
    {
        using var text = new Newtonsoft.Json.JsonTextReader(new StringReader(arguments)) { DateParseHandling = Newtonsoft.Json.DateParseHandling.None, MaxDepth = MaximumDepth };
        try
        {
            var read = JToken.ReadFrom(text);
            var spent = new PatternTime();
            var validator = new BoundedValidator([.. _patterns.Values.Select(pattern => new PatternCheck(pattern, spent))]);
            return [.. validator.Validate(read, _schema).SelectMany(error => ArgumentFaults.Of(error, read, _patterns)).Distinct(StringComparer.Ordinal).Take(MaximumFaults)];
        }
        catch (TimeoutException)
        {
            return ["the input takes too long to check: give shorter or fewer values"];
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            return ["the input holds a number or a nesting that can't be read: leave it out"]; // whatever else the validator makes of hostile text
        }
    }
}
