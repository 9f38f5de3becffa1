namespace Cove.Engine.Templates;

/// <summary>Where the roots of templates lie: built ones under the state directory, an operator's own where the template says.</summary>
internal static class TemplateRoots
{
    /// <summary>Where a template's root is, or will be when it is built.</summary>
    public static string PathOf(Template template, string stateDirectory) => template.Root ?? Path.Combine(stateDirectory, "roots", template.Name);

    /// <summary>Name to directory of those that are there.</summary>
    public static Dictionary<string, string> Of(TemplateCatalog catalog, string stateDirectory) =>
        catalog.All.Where(t => t.HasOwnRoot && Directory.Exists(PathOf(t, stateDirectory))).ToDictionary(t => t.Name, t => PathOf(t, stateDirectory));
}
