using System.Globalization;
using System.Text;

namespace Cove.Agent.Tools.Sandbox;

/// <summary>A text as the editor and the memory see it: numbered lines, one match, an insertion. Line ends are kept as they are. Pure.</summary>
internal static class TextLines
{
    /// <summary>The lines without their ends; a line end at the text's end begins no further line.</summary>
    public static string[] Of(string text)
    {
        var lines = text.Split('\n');
        return lines.Length > 1 && lines[^1].Length == 0 ? lines[..^1] : lines;
    }

    /// <summary>Lines with their numbers, as <c>cat -n</c> has them.</summary>
    public static string Numbered(ReadOnlySpan<string> lines, int first)
    {
        var shown = new StringBuilder();
        for (var i = 0; i < lines.Length; i++)
        {
            shown.Append(i == 0 ? "" : "\n").Append(CultureInfo.InvariantCulture, $"{first + i,6}\t").Append(lines[i]);
        }

        return shown.ToString();
    }

    /// <summary>Where a text occurs, each time counted once.</summary>
    public static List<int> Find(string text, string sought)
    {
        List<int> found = [];
        for (var at = sought.Length == 0 ? -1 : text.IndexOf(sought, StringComparison.Ordinal); at >= 0; at = text.IndexOf(sought, at + sought.Length, StringComparison.Ordinal))
        {
            found.Add(at);
        }

        return found;
    }

    /// <summary>The number of the line a place is in, from 1.</summary>
    public static int LineAt(string text, int place) => 1 + text.AsSpan(0, place).Count('\n');

    /// <summary>The text with another after a line; 0 is its beginning.</summary>
    public static string Insert(string text, int line, string inserted)
    {
        var at = 0;
        for (var i = 0; i < line; i++)
        {
            var end = text.IndexOf('\n', at);
            at = end < 0 ? text.Length : end + 1;
        }

        var before = text[..at];
        var onItsOwn = before.Length > 0 && !before.EndsWith('\n') ? "\n" : "";
        var ended = inserted.EndsWith('\n') || at == text.Length ? inserted : inserted + "\n";
        return before + onItsOwn + ended + text[at..];
    }

    /// <summary>The lines a <c>view_range</c> asks for; null when there are none such.</summary>
    public static (int First, int Last)? Range((int First, int Last)? asked, int count) => asked switch
    {
        null => (1, count),
        { First: var first, Last: -1 } when first >= 1 && first <= count => (first, count),
        { First: var first, Last: var last } when first >= 1 && first <= count && last >= first => (first, Math.Min(last, count)),
        _ => null,
    };

    /// <summary>A size as <c>du -h</c> has it.</summary>
    public static string Size(long bytes) => bytes switch
    {
        < 1024 => string.Create(CultureInfo.InvariantCulture, $"{bytes}B"),
        < 1024 * 1024 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024d:0.0}K"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1048576d:0.0}M"),
    };
}
