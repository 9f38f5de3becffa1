using Cove.Engine.Isolation;

namespace Cove.Engine.Templates;

/// <summary>A template and what the backend found when it loaded it.</summary>
internal sealed record LoadedTemplate(Template Template, TemplateFacts Facts)
{
    public TemplateInfo Info => new()
    {
        Name = Template.Name,
        Description = Template.Description,
        Root = Template.HasOwnRoot ? "own" : "host",
        Preload = Template.Preload,
        Packages = Facts.Packages,
        Languages = Facts.Languages,
        Limits = Template.Limits,
    };
}
