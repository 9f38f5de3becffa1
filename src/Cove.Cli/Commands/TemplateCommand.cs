using System.CommandLine;

namespace Cove.Cli.Commands;

/// <summary><c>cove template</c>: what sandboxes start from.</summary>
internal static class TemplateCommand
{
    public static Command Create(TimeProvider time) => new("template", "What sandboxes start from.")
    {
        TemplateListCommand.Create(time),
        TemplateBuildCommand.Create(time),
    };
}
