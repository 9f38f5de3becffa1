using System.Text;
using System.Text.RegularExpressions;

namespace Cove.Agent.Schemas;

/// <summary>
/// A pattern of a JSON schema, meant as such patterns are: <c>$</c> is the end and not the place before a last line end, <c>\d</c> and <c>\w</c> are
/// ASCII. The text it is matched with is a model's, so that its time has a bound.
/// </summary>
internal static class EcmaPattern
{
    private const int MaximumLength = 1000;

    /// <summary>A pattern that is matched in time linear in the text; null when it is none, or needs more (back references, look-around).</summary>
    public static Regex? Linear(string pattern)
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

    /// <summary>Any pattern: in linear time where it can be, with a time after which it is given up where not.</summary>
    /// <exception cref="ArgumentException">It is no pattern.</exception>
    public static Regex Bounded(string pattern) => Linear(pattern) ?? new Regex(Translated(pattern), RegexOptions.CultureInvariant, TimeSpan.FromMilliseconds(200));

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
