using System.Buffers;
using System.Globalization;
using System.Text;

namespace Cove.Agent.Secrets;

/// <summary>
/// A text from which escapes are taken layer by layer (JSON's, URLs', HTML's, in any mixture), and where each of its characters stood in the original.
/// An answer that quotes a request that quotes a body holds a secret so; it is found, and only its place in the original is replaced.
/// </summary>
internal sealed class EscapedText
{
    private const int MaximumLayers = 8;
    private static readonly SearchValues<char> _escapes = SearchValues.Create("\\%&");
    private static readonly (string Name, char Character)[] _entities = [("amp;", '&'), ("quot;", '"'), ("apos;", '\''), ("lt;", '<'), ("gt;", '>')];

    private readonly StringBuilder _text = new();
    private readonly List<(int Start, int End)> _places = [];

    /// <summary>The text with its mark wherever a value stands under any number of escapes.</summary>
    public static string Replace(string text, IReadOnlyCollection<(string Value, string Mark)> values)
    {
        if (values.Count == 0 || text.AsSpan().IndexOfAny(_escapes) < 0)
        {
            return text;
        }

        var found = new List<(int Start, int End, string Mark)>();
        var (layer, places) = (text, (List<(int Start, int End)>?)null);
        for (var i = 0; i < MaximumLayers; i++)
        {
            var peeled = new EscapedText();
            if (!peeled.Peel(layer, places))
            {
                break;
            }

            (layer, places) = (peeled._text.ToString(), peeled._places);
            foreach (var (value, mark) in values)
            {
                for (var at = layer.IndexOf(value, StringComparison.Ordinal); at >= 0; at = layer.IndexOf(value, at + value.Length, StringComparison.Ordinal))
                {
                    found.Add((places[at].Start, places[at + value.Length - 1].End, mark));
                }
            }
        }

        return found.Count == 0 ? text : Replaced(text, found);
    }

    private static string Replaced(string text, List<(int Start, int End, string Mark)> found)
    {
        var (made, kept) = (new StringBuilder(), 0);
        foreach (var (start, end, mark) in found.OrderBy(place => place.Start).ThenByDescending(place => place.End))
        {
            // The same place is found in every layer below; of two that overlap the rest of the second goes with the first.
            if (start >= kept)
            {
                made.Append(text, kept, start - kept).Append(mark);
            }

            kept = Math.Max(kept, end);
        }

        return made.Append(text, kept, text.Length - kept).ToString();
    }

    /// <summary>Takes one layer off; false when there was none.</summary>
    private bool Peel(string text, List<(int Start, int End)>? places)
    {
        var hasPeeled = false;
        for (var i = 0; i < text.Length;)
        {
            var (character, length) = text[i] switch
            {
                '\\' => OfJson(text, i + 1),
                '%' => (Hex(text, i + 1, 2, most: 0x7F), 3),
                '&' => OfHtml(text.AsSpan(i + 1)),
                _ => (null, 1),
            };
            length = character is null ? 1 : length;
            hasPeeled |= character is not null;
            _text.Append(character ?? text[i]);
            _places.Add((places?[i].Start ?? i, places?[i + length - 1].End ?? i + length));
            i += length;
        }

        return hasPeeled;
    }

    private static (char? Character, int Length) OfJson(string text, int at) => at >= text.Length ? (null, 1) : text[at] switch
    {
        'u' => (Hex(text, at + 1, 4, most: char.MaxValue), 6),
        '"' or '\\' or '/' => (text[at], 2),
        _ => (null, 1),
    };

    private static (char? Character, int Length) OfHtml(ReadOnlySpan<char> rest)
    {
        foreach (var (name, character) in _entities)
        {
            if (rest.StartsWith(name, StringComparison.Ordinal))
            {
                return (character, name.Length + 1);
            }
        }

        var end = rest.Length > 2 && rest[0] == '#' ? rest[..Math.Min(rest.Length, 10)].IndexOf(';') : -1;
        if (end < 2)
        {
            return (null, 1);
        }

        var isHex = rest[1] is 'x' or 'X';
        return int.TryParse(isHex ? rest[2..end] : rest[1..end], isHex ? NumberStyles.AllowHexSpecifier : NumberStyles.None, CultureInfo.InvariantCulture, out var value) && value is > 0 and <= char.MaxValue
            ? ((char)value, end + 2)
            : (null, 1);
    }

    private static char? Hex(string text, int at, int length, int most) =>
        at + length <= text.Length && int.TryParse(text.AsSpan(at, length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var value) && value <= most ? (char)value : null;
}
