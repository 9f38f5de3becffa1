using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Cove.ScriptedModel.Playing;

/// <summary>Puts captured values where a text has <c>{{name}}</c>; <c>\{{</c> stands for the braces themselves.</summary>
internal static partial class Placeholders
{
    public static IEnumerable<string> Names(string text) => Place().Matches(text).Where(m => m.Groups["name"].Success).Select(m => m.Groups["name"].Value);

    public static string Fill(string text, IReadOnlyDictionary<string, string> values) =>
        Place().Replace(text, match => match.Groups["name"] is { Success: true } name ? values[name.Value] : "{{");

    /// <summary>The name that is said but has no value; null when all have one.</summary>
    public static string? Missing(string text, IReadOnlyDictionary<string, string> values) => Names(text).FirstOrDefault(name => !values.ContainsKey(name));

    public static JsonNode? Fill(JsonNode? node, IReadOnlyDictionary<string, string> values) => node switch
    {
        JsonObject map => new JsonObject(map.Select(entry => KeyValuePair.Create(entry.Key, Fill(entry.Value, values)))),
        JsonArray list => new JsonArray([.. list.Select(entry => Fill(entry, values))]),
        JsonValue value when value.TryGetValue<string>(out var text) => JsonValue.Create(Fill(text, values)),
        _ => node?.DeepClone(),
    };

    [GeneratedRegex(@"\\\{\{|\{\{ *(?<name>\w+) *\}\}", RegexOptions.ExplicitCapture, 5000)]
    private static partial Regex Place();
}
