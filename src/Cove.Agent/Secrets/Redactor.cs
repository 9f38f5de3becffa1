using System.Collections.Immutable;
using System.Net;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Cove.Agent.Secrets;

/// <summary>
/// Hides secrets in texts: as they are, and as URLs, forms, JSON, HTML, hexadecimal and base64 write them (also where base64 holds more than the
/// secret, as <c>Basic</c> credentials do). It guards against echoes, not against a peer that wants to give a secret away: whoever was sent it can
/// write it in a way nobody thought of. Any number of threads may use it.
/// </summary>
public sealed class Redactor
{
    private readonly Lock _lock = new();
    private volatile Needles _needles = new([], []);

    /// <summary>From now on this secret is hidden.</summary>
    public void Add(Secret secret)
    {
        ArgumentNullException.ThrowIfNull(secret);
        lock (_lock)
        {
            var value = secret.Reveal();
            if (_needles.Values.Contains(value))
            {
                return;
            }

            var mark = $"[redacted {secret.Name}]";
            var all = _needles.All.AddRange(Forms(value).Select(form => (form, mark)));
            // The longest first: what is part of another must not tear that one apart.
            _needles = new([.. all.DistinctBy(needle => needle.Form).OrderByDescending(needle => needle.Form.Length)], _needles.Values.Add(value));
        }
    }

    /// <summary>The text with <c>[redacted NAME]</c> wherever a secret stood. Cut texts afterwards, never before: half a secret is not found.</summary>
    public string Redact(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        foreach (var (form, mark) in _needles.All)
        {
            text = text.Replace(form, mark, StringComparison.Ordinal);
        }

        return text;
    }

    private static IEnumerable<string> Forms(string value)
    {
        var bytes = Encoding.UTF8.GetBytes(value);
        var escaped = Uri.EscapeDataString(value);
        var everyByte = string.Concat(bytes.Select(b => $"%{b:X2}"));
        yield return value;
        yield return escaped;
        yield return LowerEscapes(escaped);
        yield return escaped.Replace("%20", "+", StringComparison.Ordinal);
        yield return WebUtility.UrlEncode(value);
        yield return LowerEscapes(WebUtility.UrlEncode(value));
        yield return everyByte;
        yield return everyByte.ToLowerInvariant();
        yield return Convert.ToHexString(bytes);
        yield return Convert.ToHexStringLower(bytes);
        yield return WebUtility.HtmlEncode(value);
        yield return JsonEncodedText.Encode(value).Value;
        yield return JsonEncodedText.Encode(value, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).Value;
        yield return value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("/", "\\/", StringComparison.Ordinal);
        for (var offset = 0; offset < 3; offset++)
        {
            var core = Base64Core(bytes, offset);
            yield return core;
            yield return core.Replace('+', '-').Replace('/', '_');
        }
    }

    private static string LowerEscapes(string escaped) =>
        string.Concat(escaped.Select((c, i) => (i > 0 && escaped[i - 1] == '%') || (i > 1 && escaped[i - 2] == '%') ? char.ToLowerInvariant(c) : c));

    /// <summary>The characters of base64 that depend on nothing but these bytes, when they stand at <paramref name="offset"/> (of three) in what was encoded.</summary>
    private static string Base64Core(byte[] bytes, int offset)
    {
        var shifted = new byte[offset + bytes.Length];
        bytes.CopyTo(shifted, offset);
        var first = (offset * 8 + 5) / 6;
        var last = shifted.Length * 8 / 6;
        return Convert.ToBase64String(shifted)[first..last];
    }

    private sealed record Needles(ImmutableArray<(string Form, string Mark)> All, ImmutableHashSet<string> Values);
}
