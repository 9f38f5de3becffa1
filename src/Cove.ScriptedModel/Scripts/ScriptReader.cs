using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Cove.ScriptedModel.Scripts;

/// <summary>Reads a script: strictly, so that a word that is misspelt is an error here and not a silence later.</summary>
internal static class ScriptReader
{
    /// <summary>More is no script a person wrote.</summary>
    private const int MaxBytes = 1 << 20;

    public static async Task<Script> ReadFileAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            if (new FileInfo(path).Length > MaxBytes)
            {
                throw new ScriptException(path, 1, $"The script is longer than {MaxBytes} bytes.", "Shorten it.");
            }

            return Read(await File.ReadAllTextAsync(path, cancellationToken), path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new ScriptException(path, 1, $"The script can't be read: {failure.Message}", "Name a file that is there and may be read.");
        }
    }

    public static Script Read(string text, string file)
    {
        var top = new YamlMap(file, Root(text, file), "the script");
        top.Text("description");
        var conversations = top.Maps("conversations")?.Select(map => ReadConversation(map, inList: true)).ToArray();
        if (conversations is not null && top.Has("turns"))
        {
            throw top.Wrong("turns", "The script has both conversations and turns.", "Put the turns into one of the conversations.");
        }

        var script = new Script(file, conversations ?? [ReadConversation(top, inList: false)]);
        top.Close();
        return script;
    }

    private static YamlNode Root(string text, string file)
    {
        var yaml = new YamlStream();
        try
        {
            // Aliases are refused while parsing: a few lines of them can stand for millions of nodes.
            yaml.Load(new PlainParser(new Parser(new StringReader(text))));
        }
        catch (YamlException failure)
        {
            throw new ScriptException(file, (int)failure.Start.Line, $"This is not YAML: {failure.Message}", "Check the indentation and quotes.");
        }

        return yaml.Documents.Count == 1 ? yaml.Documents[0].RootNode : throw new ScriptException(file, 1, $"The file holds {yaml.Documents.Count} documents.", "Write one script into it.");
    }

    private static Conversation ReadConversation(YamlMap map, bool inList)
    {
        Condition? when = null;
        if (inList)
        {
            map.Text("name");
            when = ConditionReader.Read(map, "when");
        }

        var turns = map.Maps("turns")?.Select(TurnReader.Read).ToArray() ?? throw map.Wrong(map.Line, "There are no turns.", "Add `turns:` with what the model says.");
        if (inList)
        {
            map.Close();
        }

        var conversation = new Conversation(map.Line, when, turns);
        ScriptChecks.Check(conversation, map);
        return conversation;
    }

    /// <summary>A parser that knows no anchors and no aliases.</summary>
    private sealed class PlainParser(IParser inner) : IParser
    {
        public YamlDotNet.Core.Events.ParsingEvent? Current => inner.Current;

        public bool MoveNext()
        {
            var more = inner.MoveNext();
            return !more || inner.Current is not YamlDotNet.Core.Events.AnchorAlias alias ? more : throw new YamlException(alias.Start, alias.End, "Aliases are not taken.");
        }
    }
}
