using System.Globalization;
using System.Text;

namespace Cove.Agent.Tools;

/// <summary>Long text made short without cutting a character in two. Pure.</summary>
internal static class Excerpts
{
    /// <summary>The beginning of a text.</summary>
    public static string Short(string text, int most) => text.Length <= most ? text : string.Concat(text.AsSpan(0, Whole(text, most - 1)), "…");

    /// <summary>The beginning of a value as a message can show it: on one line, with a question mark for every character that does not print.</summary>
    public static string Shown(string text, int most = 80) => Short(string.Create(Math.Min(text.Length, most + 1), text, static (shown, from) =>
    {
        for (var i = 0; i < shown.Length; i++)
        {
            shown[i] = char.IsControl(from[i]) ? '?' : from[i];
        }
    }), most);

    /// <summary>
    /// The head and the tail of a text with a notice between them that says how much was left out, and where the whole is; in all at most
    /// <paramref name="most"/> characters.
    /// </summary>
    public static string HeadAndTail(string text, int most, string whole)
    {
        if (text.Length <= most)
        {
            return text;
        }

        // The notice is a little longer for a larger number; reckoned once with the largest there can be.
        var room = Math.Max(0, most - Notice(text.Length, whole).Length);
        var head = Whole(text, room - (room / 2));
        var tail = text.Length - (room / 2);
        tail += tail < text.Length && char.IsLowSurrogate(text[tail]) && tail > 0 && char.IsHighSurrogate(text[tail - 1]) ? 1 : 0;
        return string.Concat(text.AsSpan(0, head), Notice(tail - head, whole), text.AsSpan(tail));
    }

    /// <summary>A name or text on one line: control characters, line ends and direction marks are written as escapes, so that it cannot pose as more than it is.</summary>
    public static string OneLine(string text, int most = 4096)
    {
        var line = new StringBuilder(Math.Min(text.Length, most) + 8);
        foreach (var rune in text.EnumerateRunes())
        {
            if (line.Length >= most)
            {
                return line.Append('…').ToString();
            }

            var hidden = Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
            _ = hidden ? line.Append(CultureInfo.InvariantCulture, $"\\u{rune.Value:x4}") : line.Append(rune);
        }

        return line.ToString();
    }

    private static string Notice(int left, string whole) => string.Create(CultureInfo.InvariantCulture, $"\n[… {left:N0} characters left out{(whole.Length == 0 ? "" : "; ")}{whole} …]\n");

    private static int Whole(string text, int length) => length > 0 && length < text.Length && char.IsHighSurrogate(text[length - 1]) && char.IsLowSurrogate(text[length]) ? length - 1 : Math.Max(0, length);
}
