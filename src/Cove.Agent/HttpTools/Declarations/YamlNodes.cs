using Cove.Agent.Tools;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Cove.Agent.HttpTools.Declarations;

/// <summary>Reads YAML: one document of mappings, lists and scalars. Anchors, aliases and tags are refused: a declaration needs none, and a few lines of aliases can stand for gigabytes.</summary>
internal static class YamlNodes
{
    public static Node Read(SourceFile file, string text)
    {
        try
        {
            var parser = new Parser(new Scanner(new StringReader(text)));
            parser.Consume<StreamStart>();
            if (parser.Accept<StreamEnd>(out _))
            {
                throw file.Bad(1, "it is empty", "Declare tools: see docs/http-tools.md.");
            }

            parser.Consume<DocumentStart>();
            var root = ReadNode(file, parser, depth: 1);
            parser.Consume<DocumentEnd>();
            return parser.Accept<DocumentStart>(out var second)
                ? throw file.Bad((int)second.Start.Line, "a second document begins", "Keep one document in a file.")
                : root;
        }
        catch (YamlException failure)
        {
            throw file.Bad((int)failure.Start.Line, "it is no YAML: " + Excerpts.Shown(failure.Message), "Correct that line.");
        }
    }

    private static Node ReadNode(SourceFile file, Parser parser, int depth)
    {
        var node = parser.Consume<ParsingEvent>();
        var line = (int)node.Start.Line;
        file.Count(depth, line);
        if (node is AnchorAlias || node is NodeEvent { Anchor.IsEmpty: false })
        {
            throw file.Bad(line, "it has an anchor or an alias", "Write the value out.");
        }

        if (node is NodeEvent { Tag.IsEmpty: false } tagged)
        {
            throw file.Bad(line, $"it has the tag '{Excerpts.Shown(tagged.Tag.Value)}'", "Leave the tag out; quote what is a text.");
        }

        return node switch
        {
            Scalar scalar => new ScalarNode(scalar.Value, scalar.Style == ScalarStyle.Plain, line),
            SequenceStart => ReadList(file, parser, depth, line),
            MappingStart => ReadMap(file, parser, depth, line),
            _ => throw file.Bad(line, $"there is a {node.GetType().Name} where a value belongs", "Correct that line."),
        };
    }

    private static ListNode ReadList(SourceFile file, Parser parser, int depth, int line)
    {
        var items = new List<Node>();
        while (!parser.TryConsume<SequenceEnd>(out _))
        {
            items.Add(ReadNode(file, parser, depth + 1));
        }

        return new ListNode(items, line);
    }

    private static MapNode ReadMap(SourceFile file, Parser parser, int depth, int line)
    {
        var (entries, keys) = (new List<MapEntry>(), new HashSet<string>(StringComparer.Ordinal));
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            var key = ReadNode(file, parser, depth + 1) is ScalarNode scalar ? scalar : throw file.Bad(line, "a key is no text", "Give keys as plain words.");
            file.CheckKey(keys, key.Text, key.Line);
            entries.Add(new MapEntry(key.Text, key.Line, ReadNode(file, parser, depth + 1)));
        }

        return new MapNode(entries, line);
    }
}
