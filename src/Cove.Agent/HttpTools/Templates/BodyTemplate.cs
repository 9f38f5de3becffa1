using System.Text.Json.Nodes;
using Cove.Agent.HttpTools.Declarations;
using Cove.Agent.HttpTools.Schemas;

namespace Cove.Agent.HttpTools.Templates;

/// <summary>
/// A JSON body, built as a tree and never as a text: a value is one value in it, whatever it holds. A text that is nothing but <c>{name}</c> becomes the
/// value with its type; a field whose value was left out is left out.
/// </summary>
internal abstract record BodyTemplate
{
    public abstract IEnumerable<string> Secrets { get; }

    public static BodyTemplate Read(SourceFile file, Node node, string path, InputSchema input) => node switch
    {
        MapNode map => new BodyMap([.. map.Entries.Select(entry => (entry.Key, Read(file, entry.Value, $"{path}.{entry.Key}", input)))]),
        ListNode list => new BodyList([.. list.Items.Select((item, i) => Read(file, item, $"{path}.{i}", input))]),
        ScalarNode { IsText: true } => new BodyText(TextTemplate.Read(file, node, path, input, wholeMayBeAny: true)),
        _ => new BodyConstant(node.ToJson()),
    };

    /// <summary>The value, and whether there is one.</summary>
    public abstract (bool IsThere, JsonNode? Value) Fill(TemplateValues values);

    private sealed record BodyMap(IReadOnlyList<(string Key, BodyTemplate Value)> Fields) : BodyTemplate
    {
        public override IEnumerable<string> Secrets => Fields.SelectMany(entry => entry.Value.Secrets);

        public override (bool IsThere, JsonNode? Value) Fill(TemplateValues values)
        {
            var made = new JsonObject();
            foreach (var (key, template) in Fields)
            {
                if (template.Fill(values) is (true, var value))
                {
                    made[key] = value;
                }
            }

            return (true, made);
        }
    }

    private sealed record BodyList(IReadOnlyList<BodyTemplate> Items) : BodyTemplate
    {
        public override IEnumerable<string> Secrets => Items.SelectMany(item => item.Secrets);

        public override (bool IsThere, JsonNode? Value) Fill(TemplateValues values) =>
            (true, new JsonArray([.. Items.Select(item => item.Fill(values)).Where(item => item.IsThere).Select(item => item.Value)]));
    }

    private sealed record BodyText(TextTemplate Text) : BodyTemplate
    {
        public override IEnumerable<string> Secrets => Text.Secrets;

        public override (bool IsThere, JsonNode? Value) Fill(TemplateValues values)
        {
            if (Text.OnlyValue is { } name)
            {
                return (values.Node(name) is not null, values.Node(name)?.DeepClone());
            }

            var text = Text.Fill(values);
            return (text is not null, text is null ? null : JsonValue.Create(text));
        }
    }

    private sealed record BodyConstant(JsonNode? Value) : BodyTemplate
    {
        public override IEnumerable<string> Secrets => [];

        public override (bool IsThere, JsonNode? Value) Fill(TemplateValues values) => (true, Value?.DeepClone());
    }
}
