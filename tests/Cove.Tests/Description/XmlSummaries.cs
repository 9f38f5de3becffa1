using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Cove.Tests.Description;

/// <summary>What the sources' documentation comments say, as the compiler wrote them beside the assemblies.</summary>
internal sealed partial class XmlSummaries
{
    private readonly Dictionary<string, XElement> _members = [];

    public XmlSummaries()
    {
        foreach (var file in Directory.EnumerateFiles(AppContext.BaseDirectory, "Cove.*.xml"))
        {
            foreach (var member in XDocument.Load(file).Descendants("member"))
            {
                _members[member.Attribute("name")!.Value] = member;
            }
        }
    }

    public string? Of(Type type) => Text("T:" + Name(type));

    public string? Of(MemberInfo member) => Text("P:" + Name(member.DeclaringType!) + "." + member.Name);

    private string? Text(string id)
    {
        if (!_members.TryGetValue(id, out var member))
        {
            return null;
        }

        if (member.Element("inheritdoc")?.Attribute("cref") is { } inherited)
        {
            return Text(inherited.Value);
        }

        var text = new StringBuilder();
        foreach (var node in member.Element("summary")?.Nodes() ?? [])
        {
            text.Append(node is XElement element ? Words(element) : ((XText)node).Value);
        }

        var words = Space().Replace(text.ToString(), " ").Trim();
        return words.Length == 0 ? null : words;
    }

    private static string Words(XElement element) => (element.Attribute("cref") ?? element.Attribute("name") ?? element.Attribute("langword"))?.Value is not { } target
        ? $"`{element.Value}`"
        : target[..2] is "P:" or "F:" ? $"`{OnTheWire(target[2..])}`" : Last(target.Split('(')[0]);

    private static string OnTheWire(string member) =>
        typeof(ICove).Assembly.GetType(member[..member.LastIndexOf('.')])?.GetProperty(Last(member))?.GetCustomAttribute<JsonPropertyNameAttribute>()?.Name
        ?? JsonNamingPolicy.SnakeCaseLower.ConvertName(Last(member));

    private static string Last(string name) => name[(name.LastIndexOf('.') + 1)..];

    private static string Name(Type type) => type.FullName!.Replace('+', '.');

    [GeneratedRegex(@"\s+", RegexOptions.None, 1000)]
    private static partial Regex Space();
}
