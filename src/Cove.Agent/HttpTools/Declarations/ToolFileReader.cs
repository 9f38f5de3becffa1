using System.Text.RegularExpressions;
using Cove.Agent.HttpTools.Schemas;
using Cove.Agent.HttpTools.Templates;

namespace Cove.Agent.HttpTools.Declarations;

/// <summary>Reads a file of declarations. What is wrong is refused with file, line, field, value and what would be right; nothing is guessed or skipped.</summary>
internal static partial class ToolFileReader
{
    private const int MaximumTools = 200;
    private const int MaximumDescription = 10_000;
    private const int MaximumParameters = 64;
    private static readonly string[] _methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];

    public static IReadOnlyList<HttpToolDeclaration> Read(string path)
    {
        var (file, root) = SourceFile.Read(path);
        var fields = Fields.Of(file, root, "");
        var circuit = PolicyReader.Circuit(fields.Map("circuit"));
        var items = fields.Need("tools", "Give a list of tools: see docs/http-tools.md.") as ListNode ?? throw file.Bad(root.Line, "tools is no list", "Give a list of tools: each begins with '- name:'.");
        fields.End();
        if (items.Items.Count is 0 or > MaximumTools)
        {
            throw file.Bad(items.Line, $"tools has {items.Items.Count} items", $"Give 1 to {MaximumTools}.");
        }

        var tools = new List<HttpToolDeclaration>();
        for (var i = 0; i < items.Items.Count; i++)
        {
            var made = Tool(Fields.Of(file, items.Items[i], $"tools.{i}")) with { Circuit = circuit };
            if (tools.FirstOrDefault(tool => tool.Name == made.Name || (made.Route is not null && tool.Route == made.Route)) is { } other)
            {
                throw file.Bad(items.Items[i].Line, $"tools.{i} has the name '{made.Name}' or the route of '{other.Name}', which is declared before it", "Give each tool a name and a route of its own.");
            }

            tools.Add(made);
        }

        return tools;
    }

    private static HttpToolDeclaration Tool(Fields fields)
    {
        var name = fields.NeedText("name", 64, "Give 1 to 64 of A-Z, a-z, 0-9, '_' and '-'.");
        if (!Name().IsMatch(name))
        {
            throw fields.Wrong("name", fields.Find("name")!, "Give 1 to 64 of A-Z, a-z, 0-9, '_' and '-'.");
        }

        var method = fields.NeedText("method", 10, "Give one of " + string.Join(", ", _methods) + ".");
        if (!_methods.Contains(method))
        {
            throw fields.Wrong("method", fields.Find("method")!, "Give one of " + string.Join(", ", _methods) + ".");
        }

        var input = InputSchema.Read(fields.File, fields.Need("input_schema", "Give a JSON schema of type object."), fields.Full("input_schema"));
        var url = fields.Need("url", "Give https://HOST/path.") as ScalarNode ?? throw fields.Wrong("url", fields.Find("url")!, "Give https://HOST/path.");
        var made = new HttpToolDeclaration
        {
            Name = name,
            Description = fields.NeedText("description", MaximumDescription, $"Say what it does and when to use it, in at most {MaximumDescription} characters."),
            Input = input,
            Route = Route(fields),
            Method = HttpMethod.Parse(method),
            Url = UrlTemplate.Read(fields.File, url, fields.Full("url"), input),
            Query = Templates(fields, "query", input, HeaderRules.CheckParameter),
            Headers = Templates(fields, "headers", input, HeaderRules.Check),
            Body = Body(fields, method, input),
            AllowPrivate = fields.Flag("allow_private", missing: false),
            Timeout = PolicyReader.Timeout(fields.Map("timeout")),
            Retry = PolicyReader.Retry(fields.Map("retry")),
            Response = ResponseReader.Read(fields.Map("response")),
        };
        fields.End();
        return made;
    }

    private static string? Route(Fields fields)
    {
        const string Fix = "Give a path of 2 to 6 segments of a-z, 0-9, '_' and '-', for example /github/create-issue.";
        var route = fields.Text("route", 200, Fix);
        return route is null || RoutePath().IsMatch(route) ? route : throw fields.Wrong("route", fields.Find("route")!, Fix);
    }

    private static List<NamedTemplate> Templates(Fields fields, string name, InputSchema input, Action<Fields, MapEntry, TextTemplate> check)
    {
        var made = new List<NamedTemplate>();
        foreach (var entry in fields.Entries(name, MaximumParameters))
        {
            var template = TextTemplate.Read(fields.File, entry.Value, $"{fields.Full(name)}.{entry.Key}", input);
            check(fields, entry, template);
            made.Add(made.Any(other => other.Name.Equals(entry.Key, StringComparison.OrdinalIgnoreCase))
                ? throw fields.File.Bad(entry.Line, $"{fields.Full(name)}.{entry.Key} is there twice", "Keep one of the two.")
                : new NamedTemplate(entry.Key, template));
        }

        return made;
    }

    private static BodyTemplate? Body(Fields fields, string method, InputSchema input)
    {
        if (fields.Find("body") is not { } body)
        {
            return null;
        }

        return method is "GET" or "DELETE"
            ? throw fields.File.Bad(body.Line, $"{fields.Full("body")} is there, and the method is {method}", "Leave it out, or use POST, PUT or PATCH.")
            : BodyTemplate.Read(fields.File, body, fields.Full("body"), input);
    }

    [GeneratedRegex(@"\A[A-Za-z0-9_-]{1,64}\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Name();

    [GeneratedRegex(@"\A(/[a-z0-9_-]{1,64}){2,6}\z", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex RoutePath();
}
