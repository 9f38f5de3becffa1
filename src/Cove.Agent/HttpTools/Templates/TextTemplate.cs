using Cove.Agent.HttpTools.Declarations;
using Cove.Agent.HttpTools.Schemas;

namespace Cove.Agent.HttpTools.Templates;

/// <summary>The value of a header, a query parameter or a text in a body.</summary>
internal sealed class TextTemplate
{
    /// <summary>The longest template.</summary>
    public const int MaximumLength = 8 * 1024;

    private readonly IReadOnlyList<TemplatePart> _parts;

    private TextTemplate(IReadOnlyList<TemplatePart> parts) => _parts = parts;

    public IEnumerable<string> Secrets => _parts.OfType<SecretPart>().Select(part => part.Name);

    public IEnumerable<string> Values => _parts.OfType<ValuePart>().Select(part => part.Name);

    /// <summary>The property it consists of, when it is nothing but <c>{name}</c>.</summary>
    public string? OnlyValue => _parts is [ValuePart only] ? only.Name : null;

    /// <summary>Text that no input can change.</summary>
    public bool IsLiteral => _parts.All(part => part is LiteralPart);

    /// <param name="file">Its file, for errors.</param>
    /// <param name="node">A text, or a number, which is meant as one.</param>
    /// <param name="path">Where it stands, for errors.</param>
    /// <param name="input">What it may take values from.</param>
    /// <param name="wholeMayBeAny">Whether a template that is nothing but <c>{name}</c> may stand for a list or an object.</param>
    public static TextTemplate Read(SourceFile file, Node node, string path, InputSchema input, bool wholeMayBeAny = false)
    {
        if (node is not ScalarNode { IsNull: false, Text.Length: <= MaximumLength } scalar)
        {
            throw file.Bad(node.Line, $"{path} is {node.Kind}", $"Give a text of at most {MaximumLength} characters.");
        }

        var template = new TextTemplate(TemplateParts.Parse(file, scalar.Line, path, scalar.Text));
        foreach (var part in template._parts.OfType<ValuePart>())
        {
            if (part.MayHaveSlashes)
            {
                throw file.Bad(node.Line, $"{path} has {{+{part.Name}}}", "Write {name}; {+name} is for the path of a URL.");
            }

            if (input.Property(part.Name) is null)
            {
                throw file.Bad(node.Line, $"{path} takes {{{part.Name}}}, which input_schema.properties has not", "Add the property or correct the name.");
            }

            if (!input.IsScalar(part.Name) && !(wholeMayBeAny && template.OnlyValue is not null))
            {
                throw file.Bad(node.Line, $"{path} takes {{{part.Name}}}, whose type is not one of string, integer, number, boolean", "Give the property such a type.");
            }
        }

        return template;
    }

    /// <summary>The text; null when a value it needs was left out.</summary>
    public string? Fill(TemplateValues values)
    {
        var made = new System.Text.StringBuilder();
        foreach (var part in _parts)
        {
            var text = part switch
            {
                LiteralPart literal => literal.Text,
                SecretPart secret => values.Secret(secret.Name),
                ValuePart value => values.Text(value.Name),
                _ => null,
            };
            if (text is null)
            {
                return null;
            }

            made.Append(text);
        }

        return made.ToString();
    }
}
