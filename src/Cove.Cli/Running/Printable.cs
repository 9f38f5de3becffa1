using System.Globalization;
using System.Text;

namespace Cove.Cli.Running;

/// <summary>Text of models and programs as a terminal may show it: nothing in it moves the cursor, changes colours or turns the direction of writing.</summary>
internal static class Printable
{
    /// <summary>The text with every control character but line end and tab written out, as <c>\x1b</c>.</summary>
    public static string Of(string text)
    {
        if (!text.Any(IsHidden))
        {
            return text;
        }

        var shown = new StringBuilder(text.Length + 16);
        foreach (var c in text)
        {
            if (IsHidden(c))
            {
                shown.Append(c < 0x100 ? "\\x" : "\\u").Append(((int)c).ToString(c < 0x100 ? "x2" : "x4", CultureInfo.InvariantCulture));
            }
            else
            {
                shown.Append(c);
            }
        }

        return shown.ToString();
    }

    /// <summary>The same with each line set in.</summary>
    public static string Indented(string text, string margin)
    {
        var lines = Of(text).TrimEnd('\n').Split('\n');
        return string.Join('\n', lines.Select(line => margin + line));
    }

    private static bool IsHidden(char c) => (char.IsControl(c) && c is not ('\n' or '\t')) || c is (>= '\u202a' and <= '\u202e') or (>= '\u2066' and <= '\u2069') or '\u200e' or '\u200f' or '\u2028' or '\u2029' or '\ufeff';
}
