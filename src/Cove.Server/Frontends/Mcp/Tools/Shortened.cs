using System.Text;

namespace Cove.Server.Frontends.Mcp.Tools;

/// <summary>A text, or its beginning and its end.</summary>
/// <param name="Text">What is left.</param>
/// <param name="IsCut">Whether something is missing.</param>
internal readonly record struct Shortened(string Text, bool IsCut)
{
    /// <summary>At most so many bytes of UTF-8, and a line that says what is missing.</summary>
    public static Shortened Of(string text, int bytes)
    {
        var all = text.Length * 3L <= bytes ? 0 : Encoding.UTF8.GetByteCount(text);
        if (all <= bytes)
        {
            return new Shortened(text, false);
        }

        var head = Fitting(text, bytes / 2, 0, 1);
        var tail = text.Length - Fitting(text, bytes / 2, text.Length - 1, -1);
        var left = Encoding.UTF8.GetByteCount(text.AsSpan(head, tail - head));
        return new Shortened($"{text.AsSpan(0, head)}\n… {left:N0} bytes are left out here …\n{text.AsSpan(tail)}", true);
    }

    /// <summary>How many characters from one end fit, no pair of surrogates taken apart.</summary>
    private static int Fitting(string text, int bytes, int from, int step)
    {
        var count = 0;
        for (var at = from; at >= 0 && at < text.Length; at += step, count++)
        {
            bytes -= char.IsSurrogate(text[at]) ? 2 : text[at] < 0x80 ? 1 : text[at] < 0x800 ? 2 : 3;
            if (bytes < 0)
            {
                break;
            }
        }

        var last = from + ((count - 1) * step);
        return count > 0 && (step > 0 ? char.IsHighSurrogate(text[last]) : char.IsLowSurrogate(text[last])) ? count - 1 : count;
    }
}
