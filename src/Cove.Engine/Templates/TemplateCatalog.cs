using System.Text.Json;

namespace Cove.Engine.Templates;

/// <summary>The templates of an installation, read once from the directory the engine was given.</summary>
internal sealed class TemplateCatalog
{
    private const int MaxFileBytes = 1 << 20;

    private readonly Dictionary<string, Template> _templates;

    private TemplateCatalog(Dictionary<string, Template> templates) => _templates = templates;

    public IReadOnlyList<Template> All => [.. _templates.Values.OrderBy(t => t.Name, StringComparer.Ordinal)];

    /// <summary>Reads every <c>*.json</c> of the directory; one bad file refuses all, so that a mistake is never a template silently missing.</summary>
    public static TemplateCatalog Load(string directory, string? added = null)
    {
        var files = Files(directory);
        if (files.Count == 0)
        {
            throw Refusals.TemplatesMissing(directory);
        }

        var templates = new Dictionary<string, Template>();
        foreach (var file in files.Concat(added is null ? [] : Files(added)))
        {
            var template = Read(file);
            if (!templates.TryAdd(template.Name, template))
            {
                throw Refusals.InvalidTemplate(file, "(file name)", template.Name, "a name that no shipped template has");
            }
        }

        return new TemplateCatalog(templates);
    }

    /// <summary>Reads the template of one file.</summary>
    public static Template Read(string file)
    {
        if (new FileInfo(file).Length > MaxFileBytes)
        {
            throw Refusals.InvalidTemplate(Path.GetFileName(file), "(file)", null, $"a file of at most {MaxFileBytes >> 20} MiB");
        }

        return Parse(Path.GetFileNameWithoutExtension(file), File.ReadAllBytes(file));
    }

    private static IReadOnlyList<string> Files(string directory) =>
        Directory.Exists(directory) ? [.. Directory.GetFiles(directory, "*.json").Order(StringComparer.Ordinal)] : [];

    /// <summary>Reads one template; <paramref name="name"/> is its file's stem.</summary>
    public static Template Parse(string name, ReadOnlyMemory<byte> json)
    {
        var file = name + ".json";
        if (!Names.IsName(name))
        {
            throw Refusals.InvalidTemplate(file, "(file name)", name, "a file name of 1 to 40 characters of a-z, 0-9 and '-'");
        }

        try
        {
            // Comments are welcome: a template is written by hand.
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, MaxDepth = 8 });
            return new TemplateReader(file).Read(name, document.RootElement);
        }
        catch (JsonException exception)
        {
            throw Refusals.InvalidTemplate(file, "(file)", null, $"valid JSON; line {exception.LineNumber + 1} is not");
        }
    }
}
