using System.Text.Json;
using System.Text.Json.Nodes;
using Cove.Agent.Secrets;

namespace Cove.Agent.HttpTools.Templates;

/// <summary>What templates are filled with: an input that its schema has passed, and secrets.</summary>
internal sealed class TemplateValues(JsonObject input, IReadOnlyDictionary<string, Secret> secrets)
{
    public JsonNode? Node(string name) => input[name];

    /// <summary>A value as text; null when it was left out or is null.</summary>
    public string? Text(string name) => input[name] switch
    {
        null => null,
        JsonValue value when value.GetValueKind() == JsonValueKind.String => value.GetValue<string>(),
        var other => other.ToJsonString(),
    };

    public string Secret(string name) => secrets[name].Reveal();
}

/// <summary>A value that fits its schema and not the place it is meant for.</summary>
internal sealed class ValueRefused(string message) : Exception(message);
