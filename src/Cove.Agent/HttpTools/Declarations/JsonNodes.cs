using System.Text;
using System.Text.Json;
using Cove.Agent.Tools;

namespace Cove.Agent.HttpTools.Declarations;

/// <summary>Reads JSON into the same nodes, with lines.</summary>
internal static class JsonNodes
{
    public static Node Read(SourceFile file, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = SourceFile.MaximumDepth + 1 });
        try
        {
            reader.Read();
            var root = ReadNode(file, bytes, ref reader, depth: 1);
            reader.Read();
            return root;
        }
        catch (JsonException failure)
        {
            throw file.Bad((int)(failure.LineNumber ?? 0) + 1, "it is no JSON: " + Excerpts.Shown(failure.Message), "Correct that line; comments are not JSON.");
        }
        catch (InvalidOperationException)
        {
            throw file.Bad(LineOf(bytes, reader.TokenStartIndex), "a text holds half of a surrogate pair", "Write the character whole.");
        }
    }

    private static Node ReadNode(SourceFile file, byte[] bytes, ref Utf8JsonReader reader, int depth)
    {
        var line = LineOf(bytes, reader.TokenStartIndex);
        file.Count(depth, line);
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                return ReadMap(file, bytes, ref reader, depth, line);
            case JsonTokenType.StartArray:
                var items = new List<Node>();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    items.Add(ReadNode(file, bytes, ref reader, depth + 1));
                }

                return new ListNode(items, line);
            case JsonTokenType.String:
                return new ScalarNode(reader.GetString()!, IsPlain: false, line);
            default:
                return new ScalarNode(Encoding.UTF8.GetString(reader.ValueSpan), IsPlain: true, line);
        }
    }

    private static MapNode ReadMap(SourceFile file, byte[] bytes, ref Utf8JsonReader reader, int depth, int line)
    {
        var (entries, keys) = (new List<MapEntry>(), new HashSet<string>(StringComparer.Ordinal));
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var (key, at) = (reader.GetString()!, LineOf(bytes, reader.TokenStartIndex));
            file.CheckKey(keys, key, at);
            reader.Read();
            entries.Add(new MapEntry(key, at, ReadNode(file, bytes, ref reader, depth + 1)));
        }

        return new MapNode(entries, line);
    }

    /// <summary>Counted from the beginning each time: 20,000 values in 1 MiB at most, and only when a server starts.</summary>
    private static int LineOf(byte[] bytes, long index) => 1 + bytes.AsSpan(0, (int)index).Count((byte)'\n');
}
