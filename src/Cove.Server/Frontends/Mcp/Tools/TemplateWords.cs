namespace Cove.Server.Frontends.Mcp.Tools;

/// <summary>What templates were found to hold, in words for a model.</summary>
internal static class TemplateWords
{
    private static readonly string _default = new SandboxRequest().Template;

    /// <summary>Each of them, the default first.</summary>
    public static string All(IReadOnlyList<TemplateInfo> templates) =>
        string.Join(" ", templates.OrderBy(template => template.Name != _default).ThenBy(template => template.Name, StringComparer.Ordinal).Select(template => $"{template.Name}{(template.Name == _default ? " (default)" : "")}: {Holds(template)}"));

    /// <summary>The default one.</summary>
    public static string Default(IReadOnlyList<TemplateInfo> templates) => templates.FirstOrDefault(template => template.Name == _default) is { } template ? Holds(template) : "";

    private static string Holds(TemplateInfo template)
    {
        var languages = string.Join(", ", template.Languages.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => $"{l.Key} {l.Value}"));
        return template.Packages.Count == 0
            ? $"{languages}; no Python packages beyond the standard library."
            : $"{languages}; Python packages {string.Join(", ", template.Packages.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key} {p.Value}"))}.";
    }
}
