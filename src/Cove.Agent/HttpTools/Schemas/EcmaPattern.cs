using System.Text;
using System.Text.RegularExpressions;

namespace Cove.Agent.HttpTools.Schemas;

/// <summary>
/// A pattern of a JSON schema, meant as such patterns are: <c>$</c> is the end and not the place before a last line end, <c>\d</c> and <c>\w</c> are
/// ASCII. It is matched in time linear in the text, since the text is a model's; what can't be (back references, look-around) is refused.
/// </summary>
internal static class EcmaPattern
{
    private const int MaximumLength = 1000;

    /// <summary>The pattern; null when it is none, or one that may take for ever.</summary>
    public static Regex? Parse(string pattern)
    {
        if (pattern.Length > MaximumLength)
        {
            return null;
        }

        try
        {
            return new Regex(Translated(pattern), RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, TimeSpan.FromSeconds(1));
        }
        catch (Exception failure) when (failure is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    private static string Translated(string pattern)
    {
        var made = new StringBuilder();
        var inClass = false;
        for (var i = 0; i < pattern.Length; i++)
        {
            var c = pattern[i];
            if (c == '\\' && i + 1 < pattern.Length)
            {
                made.Append(Escape(pattern[++i], inClass));
                continue;
            }

            var wasInside = inClass;
            inClass = c switch { '[' => true, ']' => false, _ => inClass };
            // A bracket inside a class is a letter there, where .NET might see a subtraction.
            made.Append(c == '$' && !wasInside ? @"\z" : c == '[' && wasInside ? @"\[" : c.ToString());
        }

        return made.ToString();
    }

    private static string Escape(char c, bool inClass) => c switch
    {
        'd' => inClass ? "0-9" : "[0-9]",
        'w' => inClass ? "A-Za-z0-9_" : "[A-Za-z0-9_]",
        'D' when !inClass => "[^0-9]",
        'W' when !inClass => "[^A-Za-z0-9_]",
        '/' => "/",
        _ => $"\\{c}",
    };
}
