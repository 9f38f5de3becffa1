using System.Text;

namespace Cove.Engine;

/// <summary>Measures texts that leave for a guest.</summary>
internal static class Texts
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    public static int Bytes(string text) => Encoding.UTF8.GetByteCount(text);

    /// <summary>Valid text (no half of a surrogate pair, which has no UTF-8) without NUL (where C ends it).</summary>
    public static bool IsPlain(string? text) => text is not null && !text.Contains('\0') && IsValid(text);

    /// <summary>No half of a surrogate pair.</summary>
    public static bool IsValid(string text)
    {
        try
        {
            Strict.GetByteCount(text);
            return true;
        }
        catch (EncoderFallbackException)
        {
            return false;
        }
    }
}
