using System.Text;
using Cove.Agent.HttpTools.Declarations;
using Cove.Agent.Secrets;
using Cove.Agent.Tools;

namespace Cove.Agent.HttpTools.Templates;

/// <summary>A piece of a template: literal text, <c>{name}</c>, <c>{+name}</c> or <c>${secret:NAME}</c>.</summary>
internal abstract record TemplatePart;

internal sealed record LiteralPart(string Text) : TemplatePart;

/// <param name="Name">A property of the input.</param>
/// <param name="MayHaveSlashes">Whether it stands for several segments of a path: <c>{+name}</c>.</param>
internal sealed record ValuePart(string Name, bool MayHaveSlashes = false) : TemplatePart;

internal sealed record SecretPart(string Name) : TemplatePart;

/// <summary>Takes templates apart. What a value holds is never looked at for further parts.</summary>
internal static class TemplateParts
{
    private const string SecretBegin = "${secret:";
    private const string Fix = "Write {name} for a property of the input, ${secret:NAME} for a secret, and {{ or }} for a brace.";

    public static IReadOnlyList<TemplatePart> Parse(SourceFile file, int line, string path, string text)
    {
        var (parts, literal) = (new List<TemplatePart>(), new StringBuilder());
        for (var i = 0; i < text.Length; i++)
        {
            var rest = text.AsSpan(i);
            if (rest.StartsWith("{{", StringComparison.Ordinal) || rest.StartsWith("}}", StringComparison.Ordinal))
            {
                literal.Append(text[i++]);
                continue;
            }

            var isSecret = rest.StartsWith(SecretBegin, StringComparison.Ordinal);
            if (!isSecret && text[i] is not ('{' or '}'))
            {
                literal.Append(text[i]);
                continue;
            }

            var end = text.IndexOf('}', i);
            var name = end < 0 || text[i] == '}' ? "" : text[(i + (isSecret ? SecretBegin.Length : 1))..end];
            Flush(parts, literal);
            parts.Add(isSecret ? Secret(file, line, path, name) : Value(file, line, path, name));
            i = end;
        }

        Flush(parts, literal);
        return parts;
    }

    private static SecretPart Secret(SourceFile file, int line, string path, string name) => SecretName.IsAcceptable(name)
        ? new SecretPart(name)
        : throw file.Bad(line, $"{path} names the secret '{Excerpts.Shown(name)}'", $"A secret's name is {SecretName.Form}.");

    private static ValuePart Value(SourceFile file, int line, string path, string name)
    {
        var bare = name.StartsWith('+') ? name[1..] : name;
        return bare.Length is >= 1 and <= 64 && bare.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')
            ? new ValuePart(bare, bare.Length < name.Length)
            : throw file.Bad(line, $"{path} has a brace that begins or ends no name", Fix);
    }

    private static void Flush(List<TemplatePart> parts, StringBuilder literal)
    {
        if (literal.Length > 0)
        {
            parts.Add(new LiteralPart(literal.ToString()));
            literal.Clear();
        }
    }
}
