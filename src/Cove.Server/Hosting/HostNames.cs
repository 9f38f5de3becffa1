namespace Cove.Server.Hosting;

/// <summary>The host names a server answers to. A page that makes its own name point here sends another, and is stopped by that.</summary>
internal sealed class HostNames(IEnumerable<string> names)
{
    private const string Below = "*.";

    private readonly HashSet<string> _names = new(names, StringComparer.OrdinalIgnoreCase);

    public bool Contain(string host) => _names.Contains(host) || _names.Any(name => name.StartsWith(Below, StringComparison.Ordinal) && IsBelow(host, name[1..]));

    public override string ToString() => string.Join(", ", _names);

    /// <summary>Whether text is a host's name, an address, or <c>*.</c> before a name of at least two parts (all of <c>*.com</c> is nobody's).</summary>
    public static bool IsAcceptable(string text)
    {
        var name = text.StartsWith(Below, StringComparison.Ordinal) ? text[Below.Length..] : text;
        return text.Length is >= 1 and <= 253 && name.Length > 0
            && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '.' or '[' or ']' || (c == ':' && name.StartsWith('[')))
            && (name.Length == text.Length || (name.Contains('.', StringComparison.Ordinal) && char.IsAsciiLetterOrDigit(name[0]) && !name.EndsWith('.')));
    }

    private static bool IsBelow(string host, string ending) => host.Length > ending.Length && host.EndsWith(ending, StringComparison.OrdinalIgnoreCase);
}
