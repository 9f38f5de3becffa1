using Cove.Agent.Tools;

namespace Cove.Agent.HttpTools.Declarations;

/// <summary>The fields of one mapping, read strictly: what nobody asked for is refused at the end, so that a misspelt field is not silently ignored.</summary>
internal sealed class Fields
{
    private readonly SourceFile _file;
    private readonly MapNode _map;
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    private Fields(SourceFile file, MapNode map, string path) => (_file, _map, Path) = (file, map, path);

    /// <summary>Where it stands, for messages; empty for the file itself.</summary>
    public string Path { get; }

    public int Line => _map.Line;

    public SourceFile File => _file;

    public static Fields Of(SourceFile file, Node node, string path) => node is MapNode map
        ? new Fields(file, map, path)
        : throw file.Bad(node.Line, $"{(path.Length == 0 ? "the file" : path)} is {node.Kind}", "Give a mapping of fields and values.");

    public Node? Find(string name)
    {
        _known.Add(name);
        return _map.Find(name) is ScalarNode { IsNull: true } ? null : _map.Find(name);
    }

    public Node Need(string name, string fix) => Find(name) ?? throw _file.Bad(_map.Line, $"{Full(name)} is missing", fix);

    public Fields? Map(string name) => Find(name) is { } node ? Of(_file, node, Full(name)) : null;

    public IReadOnlyList<MapEntry> Entries(string name, int most) => Find(name) switch
    {
        null => [],
        MapNode map when map.Entries.Count <= most => map.Entries,
        var other => throw Wrong(name, other, $"Give a mapping of at most {most} fields."),
    };

    public IReadOnlyList<Node> Items(string name, int most) => Find(name) switch
    {
        null => [],
        ListNode list when list.Items.Count <= most => list.Items,
        ListNode list => throw _file.Bad(list.Line, $"{Full(name)} has {list.Items.Count} items", $"Give at most {most}."),
        var one => [one],
    };

    public string? Text(string name, int most, string fix) => Find(name) switch
    {
        null => null,
        ScalarNode { IsText: true, Text: { Length: >= 1 } text } when text.Length <= most => text,
        var other => throw Wrong(name, other, fix),
    };

    public string NeedText(string name, int most, string fix) => Text(name, most, fix) ?? throw _file.Bad(_map.Line, $"{Full(name)} is missing", fix);

    public bool Flag(string name, bool missing) => Find(name) switch
    {
        null => missing,
        ScalarNode { Flag: { } flag } => flag,
        var other => throw Wrong(name, other, "Give true or false."),
    };

    public double Number(string name, double missing, double least, double most, string unit) => Find(name) switch
    {
        null => missing,
        ScalarNode { Value: { } value } when value >= least && value <= most => value,
        var other => throw Wrong(name, other, $"Give {least:0.##} to {most:0.##}{unit}."),
    };

    public int Whole(string name, int missing, int least, int most, string unit)
    {
        var value = Number(name, missing, least, most, unit);
        return value == Math.Floor(value) ? (int)value : throw Wrong(name, Find(name)!, $"Give a whole number from {least} to {most}{unit}.");
    }

    public TimeSpan Seconds(string name, double missing, double least, double most) => TimeSpan.FromSeconds(Number(name, missing, least, most, " seconds"));

    /// <summary>Refuses every field that nobody asked for.</summary>
    public void End()
    {
        if (_map.Entries.FirstOrDefault(entry => !_known.Contains(entry.Key)) is { } unknown)
        {
            throw _file.Bad(unknown.Line, $"{Full(Excerpts.Shown(unknown.Key))} is not known", $"Known here: {string.Join(", ", _known.Order(StringComparer.Ordinal))}.");
        }
    }

    public CoveException Wrong(string name, Node value, string fix) =>
        _file.Bad(value.Line, $"{Full(name)} is {(value is ScalarNode scalar ? $"'{Excerpts.Shown(scalar.Text)}', {scalar.Kind}" : value.Kind)}, which is not acceptable", fix);

    public string Full(string name) => Path.Length == 0 ? name : $"{Path}.{name}";
}
