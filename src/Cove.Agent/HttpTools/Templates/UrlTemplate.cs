using System.Buffers;
using System.Text;
using Cove.Agent.HttpTools.Declarations;
using Cove.Agent.HttpTools.Schemas;
using Cove.Agent.Tools;

namespace Cove.Agent.HttpTools.Templates;

/// <summary>
/// Where a tool's request goes. Scheme and host are literal; values fill segments of the path and nothing else: they are percent-encoded, and one
/// that would end its segment, leave it upwards or name none is refused rather than encoded, because servers differ in what they decode first.
/// </summary>
internal sealed class UrlTemplate
{
    private const int MaximumLength = 2000;
    private const int MaximumUrl = 8000;
    private static readonly SearchValues<char> _notInOrigin = SearchValues.Create("{}@\\?# ");
    private readonly IReadOnlyList<TemplatePart> _path;

    private UrlTemplate(Uri origin, IReadOnlyList<TemplatePart> path) => (Origin, _path) = (origin, path);

    /// <summary>Scheme, host and port.</summary>
    public Uri Origin { get; }

    public static UrlTemplate Read(SourceFile file, ScalarNode node, string path, InputSchema input)
    {
        var text = node.Text;
        var start = text.IndexOf("://", StringComparison.Ordinal);
        var slash = start < 0 ? -1 : text.IndexOf('/', start + 3);
        var origin = slash < 0 ? text : text[..slash];
        if (text.Length > MaximumLength || origin.AsSpan().IndexOfAny(_notInOrigin) >= 0
            || !Uri.TryCreate(origin + "/", UriKind.Absolute, out var uri) || uri.Scheme is not ("https" or "http") || uri.UserInfo.Length > 0)
        {
            throw file.Bad(node.Line, $"{path} is '{Excerpts.Shown(text)}', whose scheme and host can't be used", "Write https://HOST/path with a literal host; values may only stand in the path, secrets and queries have their own fields.");
        }

        if (uri.Scheme == "http" && !uri.IsLoopback)
        {
            throw file.Bad(node.Line, $"{path} is '{Excerpts.Shown(text)}', without TLS", "Use https; http is for localhost, 127.0.0.1 and [::1].");
        }

        var parts = TemplateParts.Parse(file, node.Line, path, slash < 0 ? "/" : text[slash..]);
        foreach (var part in parts)
        {
            CheckPart(file, node, path, part, input);
        }

        if (CannotStand(string.Concat(parts.Select(part => part is LiteralPart literal ? literal.Text : "x"))))
        {
            throw file.Bad(node.Line, $"{path} has a segment '.' or '..', or '//'", "Write the path that is meant.");
        }

        return new UrlTemplate(uri, parts);
    }

    public IEnumerable<string> Values => _path.OfType<ValuePart>().Select(part => part.Name);

    /// <summary>The whole address. <paramref name="query"/> is encoded already.</summary>
    /// <exception cref="ValueRefused">A value can't stand where it is meant to.</exception>
    public Uri Fill(TemplateValues values, string query)
    {
        var path = string.Concat(_path.Select(part => part switch
        {
            LiteralPart literal => literal.Text,
            ValuePart value => Encoded(value, values.Text(value.Name) ?? throw new ValueRefused($"{value.Name} is missing: the address needs it")),
            _ => throw new InvalidOperationException("A URL has no other parts."),
        }));
        // Values that are harmless each can make '..' together.
        if (CannotStand(path))
        {
            throw new ValueRefused($"{string.Join(", ", Values)}: together they make a segment '.', '..' or none in the address");
        }

        var uri = new Uri(Origin, path + query);
        return uri.AbsolutePath == path && uri.Authority == Origin.Authority && uri.AbsoluteUri.Length <= MaximumUrl
            ? uri
            : throw new ValueRefused($"{string.Join(", ", Values)}: the address they make is too long, or is not the one that is meant");
    }

    private static void CheckPart(SourceFile file, ScalarNode node, string path, TemplatePart part, InputSchema input)
    {
        switch (part)
        {
            case SecretPart:
                throw file.Bad(node.Line, $"{path} holds a secret", "Addresses are logged everywhere: put secrets into headers, the query or the body.");
            case LiteralPart literal when literal.Text.FirstOrDefault(c => !(char.IsAsciiLetterOrDigit(c) || "-._~/!$&'()*+,;=:@%".Contains(c))) is var odd and not '\0':
                throw file.Bad(node.Line, $"{path} has '{odd}' in its path", odd is '?' or '#' ? "Write parameters under query:." : "Percent-encode it.");
            case ValuePart value when input.Property(value.Name) is null || !input.IsScalar(value.Name) || !(input.IsRequired(value.Name) || input.Property(value.Name)!["default"] is not null):
                throw file.Bad(node.Line, $"{path} takes {{{value.Name}}}, which is no required string, integer, number or boolean of input_schema", "Declare it so under properties, and name it under required or give it a default.");
            case ValuePart { MayHaveSlashes: true } value when input.Property(value.Name)!["pattern"] is null:
                throw file.Bad(node.Line, $"{path} takes {{+{value.Name}}}, which may hold slashes, and its schema has no pattern", @"Give it one that says which segments there are, for example ^[\w.-]+/[\w.-]+$.");
            default:
                break;
        }
    }

    private static string Encoded(ValuePart part, string value)
    {
        var segments = part.MayHaveSlashes ? value.Split('/') : [value];
        var made = new StringBuilder();
        foreach (var segment in segments)
        {
            if (segment.Length == 0 || segment.AsSpan().IndexOfAny('/', '\\') >= 0 || segment.Any(char.IsControl) || segment.All(c => c == '.') || IsEscape(segment))
            {
                throw new ValueRefused($"{part.Name} is '{Excerpts.Shown(value)}', which can't be a part of an address: give {(part.MayHaveSlashes ? "names joined by '/'" : "a name")} without '.' and '..', slashes, escapes and control characters");
            }

            made.Append(made.Length > 0 ? "/" : "").Append(Uri.EscapeDataString(segment));
        }

        return made.ToString();
    }

    /// <summary>Encoded it would be harmless (%252F), were there no servers that decode twice.</summary>
    private static bool IsEscape(string segment)
    {
        var decoded = segment;
        for (var i = 0; i < 3 && decoded.Contains('%'); i++)
        {
            decoded = Uri.UnescapeDataString(decoded);
        }

        return decoded.AsSpan().IndexOfAny('/', '\\') >= 0 || decoded.All(c => c == '.') || decoded.Any(char.IsControl);
    }

    private static bool CannotStand(string path) =>
        path.Split('/').Skip(1).Select(Uri.UnescapeDataString).SkipLast(1).Any(segment => segment.Length == 0) || path.Split('/').Any(segment => Uri.UnescapeDataString(segment) is "." or "..");
}
