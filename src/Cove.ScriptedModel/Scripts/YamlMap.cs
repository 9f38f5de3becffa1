using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Cove.ScriptedModel.Scripts;

/// <summary>A mapping of a script, read strictly: what nobody asked for is an error that lists what may be there.</summary>
internal sealed class YamlMap
{
    private static readonly TimeSpan PatternTime = TimeSpan.FromSeconds(5);
    private readonly string _file;
    private readonly string _what;
    private readonly Dictionary<string, YamlNode> _entries = [];
    private readonly Dictionary<string, int> _lines = [];
    private readonly SortedSet<string> _known = new(StringComparer.Ordinal);

    public YamlMap(string file, YamlNode node, string what)
    {
        (_file, _what, Line) = (file, what, LineOf(node));
        if (node is not YamlMappingNode map)
        {
            throw Wrong(Line, $"{what} is not a mapping.", "Write it as `key: value` lines.");
        }

        foreach (var (key, value) in map.Children)
        {
            var name = (key as YamlScalarNode)?.Value ?? throw Wrong(LineOf(key), $"A key of {what} is not a word.", "Write plain keys.");
            _entries[name] = value;
            _lines[name] = LineOf(key);
        }
    }

    public int Line { get; }

    public bool Has(string key)
    {
        _known.Add(key);
        return _entries.ContainsKey(key);
    }

    public int LineAt(string key) => _lines.TryGetValue(key, out var line) ? line : Line;

    public ScriptException Wrong(string key, string problem, string fix) => Wrong(LineAt(key), problem, fix);

    public ScriptException Wrong(int line, string problem, string fix) => new(_file, line, problem, fix);

    public string? Text(string key)
    {
        if (Take(key) is not { } node)
        {
            return null;
        }

        return node is YamlScalarNode { Value: { } text } ? text : throw Wrong(key, $"{key} is not a text.", "Write a text, in quotes when it is not plain.");
    }

    public string RequiredText(string key) =>
        Text(key) is { Length: > 0 } text ? text : throw Wrong(key, $"{_what} has no {key}.", $"Add `{key}: …`.");

    public bool? Flag(string key) => Text(key) switch
    {
        null => null,
        "true" => true,
        "false" => false,
        var other => throw Wrong(key, $"{key} is \"{other}\".", "Write true or false."),
    };

    public int? Number(string key, int least, int most)
    {
        if (Text(key) is not { } text)
        {
            return null;
        }

        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw Wrong(key, $"{key} is \"{text}\".", $"Write a whole number from {least} to {most}.");
    }

    public TimeSpan? Duration(string key)
    {
        if (Text(key) is not { } text)
        {
            return null;
        }

        var match = Regex.Match(text, @"^(?<number>\d{1,6})(?<unit>ms|s|m)$", RegexOptions.ExplicitCapture, PatternTime);
        if (!match.Success)
        {
            throw Wrong(key, $"{key} is \"{text}\".", "Write a whole number with a unit: 250ms, 2s or 1m.");
        }

        var number = double.Parse(match.Groups["number"].ValueSpan, CultureInfo.InvariantCulture);
        return match.Groups["unit"].Value switch { "ms" => TimeSpan.FromMilliseconds(number), "s" => TimeSpan.FromSeconds(number), _ => TimeSpan.FromMinutes(number) };
    }

    public Regex? Pattern(string key) => Text(key) is { } text ? Pattern(key, text) : null;

    public Regex Pattern(string key, string text)
    {
        try
        {
            return new Regex(text, RegexOptions.Multiline | RegexOptions.CultureInvariant, PatternTime);
        }
        catch (ArgumentException failure)
        {
            throw Wrong(key, $"{key} is no regular expression: {failure.Message}", "Correct the pattern; a backslash needs single quotes around it.");
        }
    }

    public string? OneOf(string key, params string[] words) => Text(key) switch
    {
        null => null,
        var text when words.Contains(text, StringComparer.Ordinal) => text,
        var text => throw Wrong(key, $"{key} is \"{text}\".", $"Write one of: {string.Join(", ", words)}."),
    };

    public YamlMap? Map(string key) => Take(key) is { } node ? new YamlMap(_file, node, key) : null;

    public IReadOnlyList<YamlMap>? Maps(string key)
    {
        if (Take(key) is not { } node)
        {
            return null;
        }

        return node is YamlSequenceNode { Children.Count: > 0 } list
            ? [.. list.Children.Select(child => new YamlMap(_file, child, $"an entry of {key}"))]
            : throw Wrong(key, $"{key} is not a list, or empty.", "Write its entries as lines that begin with `- `.");
    }

    public IReadOnlyList<string> Texts(string key) => Take(key) switch
    {
        null => [],
        YamlScalarNode { Value: { } one } => [one],
        YamlSequenceNode list when list.Children.All(c => c is YamlScalarNode) => [.. list.Children.Select(c => ((YamlScalarNode)c).Value!)],
        _ => throw Wrong(key, $"{key} is neither a word nor a list of words.", "Write `a` or `[a, b]`."),
    };

    /// <summary>The entries of a mapping whose keys are names of the author's choice.</summary>
    public IEnumerable<(string Name, int Line, string? Text, YamlMap? Map)> Named(string key)
    {
        if (Take(key) is not { } node)
        {
            yield break;
        }

        foreach (var (name, value) in new YamlMap(_file, node, key)._entries)
        {
            yield return (name, LineOf(value), (value as YamlScalarNode)?.Value, value is YamlMappingNode ? new YamlMap(_file, value, name) : null);
        }
    }

    public JsonObject? JsonMap(string key) => Json(key) switch
    {
        null => null,
        JsonObject map => map,
        _ => throw Wrong(key, $"{key} is not a mapping.", "Write it as `key: value` lines."),
    };

    public JsonArray? JsonList(string key) => Json(key) switch
    {
        null => null,
        JsonArray list => list,
        _ => throw Wrong(key, $"{key} is not a list.", "Write its entries as lines that begin with `- `."),
    };

    /// <summary>To be called when all has been asked for.</summary>
    public void Close()
    {
        var strange = _entries.Keys.FirstOrDefault(key => !_known.Contains(key));
        if (strange is not null)
        {
            throw Wrong(strange, $"{_what} does not know {strange}.", $"Write one of: {string.Join(", ", _known)}.");
        }
    }

    public static int LineOf(YamlNode node) => (int)node.Start.Line;

    private JsonNode? Json(string key) => Take(key) is { } node ? ToJson(node) : null;

    private YamlNode? Take(string key)
    {
        _known.Add(key);
        return _entries.GetValueOrDefault(key);
    }

    private static JsonNode? ToJson(YamlNode node) => node switch
    {
        YamlMappingNode map => new JsonObject(map.Children.Select(c => KeyValuePair.Create(((YamlScalarNode)c.Key).Value!, ToJson(c.Value)))),
        YamlSequenceNode list => new JsonArray([.. list.Children.Select(ToJson)]),
        YamlScalarNode { Style: ScalarStyle.Plain, Value: var plain } => Plain(plain),
        YamlScalarNode scalar => JsonValue.Create(scalar.Value),
        _ => null,
    };

    private static JsonValue? Plain(string? text)
    {
        if (text is null or "" or "null" or "~")
        {
            return null;
        }

        if (text is "true" or "false")
        {
            return JsonValue.Create(text == "true");
        }

        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
        {
            return JsonValue.Create(whole);
        }

        var isNumber = char.IsAsciiDigit(text[^1]) && double.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out _);
        return isNumber ? JsonValue.Create(double.Parse(text, CultureInfo.InvariantCulture)) : JsonValue.Create(text);
    }
}
