using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Cove.Agent.HttpTools.Declarations;

/// <summary>What a declaration file says, however it is written, with the lines it says it on.</summary>
/// <param name="Line">From 1.</param>
internal abstract partial record Node(int Line)
{
    /// <summary>For messages: what kind of value it is.</summary>
    public abstract string Kind { get; }

    /// <summary>The same as JSON.</summary>
    public abstract JsonNode? ToJson();

    [GeneratedRegex(@"\A-?(0|[1-9][0-9]{0,300})(\.[0-9]{1,300})?([eE][-+]?[0-9]{1,3})?\z", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    protected static partial Regex Number();
}

/// <summary>A text, or, when it is plain (without quotes), what that stands for: null, true, false, a number; every other plain word is a text, <c>no</c> and <c>on</c> too.</summary>
internal sealed record ScalarNode(string Text, bool IsPlain, int Line) : Node(Line)
{
    public bool IsNull => IsPlain && Text is "" or "~" or "null";

    public bool? Flag => !IsPlain ? null : Text switch { "true" => true, "false" => false, _ => null };

    public double? Value => IsPlain && Number().IsMatch(Text) ? double.Parse(Text, CultureInfo.InvariantCulture) : null;

    public bool IsText => !IsNull && Flag is null && Value is null;

    public override string Kind => IsNull ? "nothing" : Flag is not null ? "true or false" : Value is not null ? "a number" : "a text";

    public override JsonNode? ToJson() => IsNull ? null
        : Flag is { } flag ? JsonValue.Create(flag)
        : Value is not null ? JsonNode.Parse(Text)
        : JsonValue.Create(Text);
}

internal sealed record ListNode(IReadOnlyList<Node> Items, int Line) : Node(Line)
{
    public override string Kind => "a list";

    public override JsonNode ToJson() => new JsonArray([.. Items.Select(item => item.ToJson())]);
}

internal sealed record MapNode(IReadOnlyList<MapEntry> Entries, int Line) : Node(Line)
{
    public override string Kind => "a mapping";

    public Node? Find(string key) => Entries.FirstOrDefault(entry => entry.Key == key)?.Value;

    public override JsonNode ToJson()
    {
        var made = new JsonObject();
        foreach (var entry in Entries)
        {
            made[entry.Key] = entry.Value.ToJson();
        }

        return made;
    }
}

internal sealed record MapEntry(string Key, int Line, Node Value);
