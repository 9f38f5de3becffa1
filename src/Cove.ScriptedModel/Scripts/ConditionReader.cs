namespace Cove.ScriptedModel.Scripts;

/// <summary>Reads conditions, captures and where they look.</summary>
internal static class ConditionReader
{
    public static Condition? Read(YamlMap parent, string key)
    {
        if (parent.Map(key) is not { } map)
        {
            return null;
        }

        var checks = new List<Check>();
        if (map.Map("tool_result") is { } result)
        {
            Results(result, checks);
        }

        Texts(map.Map("message"), SourceKind.Message, checks);
        Texts(map.Map("system"), SourceKind.System, checks);
        Texts(map.Map("model"), SourceKind.Model, checks);
        Tools(map, checks);
        map.Close();
        return checks.Count > 0 ? new Condition(map.Line, checks) : throw map.Wrong(map.Line, $"{key} says nothing.", "Add tool_result, message, system, model or tools.");
    }

    public static IReadOnlyList<Capture> Captures(YamlMap parent)
    {
        var captures = new List<Capture>();
        foreach (var (name, line, text, map) in parent.Named("capture"))
        {
            if (!name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))
            {
                throw parent.Wrong(line, $"{name} can't be the name of a capture.", "Use letters, digits and underscores.");
            }

            var source = map is not null
                ? CaptureSource(map)
                : new Source(SourceKind.ToolResult) { Pattern = parent.Pattern("capture", text ?? throw parent.Wrong(line, $"The capture {name} says nothing.", "Write a regular expression, or `{path: …}`.")) };
            captures.Add(new Capture(line, name, source));
        }

        return captures;
    }

    private static Source CaptureSource(YamlMap map)
    {
        var kind = map.OneOf("from", "tool_result", "message", "system", "model") switch
        {
            "message" => SourceKind.Message,
            "system" => SourceKind.System,
            "model" => SourceKind.Model,
            _ => SourceKind.ToolResult,
        };
        var source = new Source(kind) { Of = map.Text("of"), Path = Path(map), Pattern = map.Pattern("matches") };
        map.Close();
        return source is { Path: null, Pattern: null }
            ? throw map.Wrong(map.Line, "The capture says not what to take.", "Add `path: name.in.the.json` or `matches: 'regular expression with (one group)'`.")
            : source;
    }

    private static JsonPlace? Path(YamlMap map) => map.Text("path") switch
    {
        null => null,
        { Length: > 0 } text when !text.StartsWith('[') || text.EndsWith(']') => new JsonPlace(text),
        var text => throw map.Wrong("path", $"path is \"{text}\".", "Write names joined by dots, and places in lists in brackets: files[0].name."),
    };

    private static void Results(YamlMap map, List<Check> checks)
    {
        var of = map.Text("of");
        var path = Path(map);
        var before = checks.Count;
        Tests(map, new Source(SourceKind.ToolResult) { Of = of, Path = path }, checks);
        if (map.Flag("is_error") is { } isError)
        {
            checks.Add(new ErrorCheck(map.LineAt("is_error"), of, isError));
        }

        if (map.Flag("has_image") is { } hasImage)
        {
            checks.Add(new ImageCheck(map.LineAt("has_image"), of, hasImage));
        }

        map.Close();
        if (checks.Count == before)
        {
            throw map.Wrong(map.Line, "tool_result says nothing to look for.", "Add contains, lacks, matches, equals, is_error or has_image.");
        }
    }

    private static void Texts(YamlMap? map, SourceKind kind, List<Check> checks)
    {
        if (map is null)
        {
            return;
        }

        var before = checks.Count;
        Tests(map, new Source(kind), checks);
        map.Close();
        if (checks.Count == before)
        {
            throw map.Wrong(map.Line, "It says nothing to look for.", "Add contains, lacks, matches or equals.");
        }
    }

    private static void Tests(YamlMap map, Source source, List<Check> checks)
    {
        checks.AddRange(map.Texts("contains").Select(text => new TextCheck(map.LineAt("contains"), source, TextTest.Contains, text, null)));
        checks.AddRange(map.Texts("lacks").Select(text => new TextCheck(map.LineAt("lacks"), source, TextTest.Lacks, text, null)));
        checks.AddRange(map.Texts("matches").Select(text => new TextCheck(map.LineAt("matches"), source, TextTest.Matches, text, map.Pattern("matches", text))));
        if (map.Text("equals") is { } equal)
        {
            checks.Add(new TextCheck(map.LineAt("equals"), source, TextTest.Equals, equal, null));
        }
    }

    private static void Tools(YamlMap parent, List<Check> checks)
    {
        if (parent.Map("tools") is not { } map)
        {
            return;
        }

        checks.AddRange(map.Texts("include").Select(tool => new ToolCheck(map.LineAt("include"), tool, Offered: true)));
        checks.AddRange(map.Texts("exclude").Select(tool => new ToolCheck(map.LineAt("exclude"), tool, Offered: false)));
        if (map.Flag("none") is { } none)
        {
            checks.Add(new AnyToolCheck(map.LineAt("none"), !none));
        }

        map.Close();
    }
}
