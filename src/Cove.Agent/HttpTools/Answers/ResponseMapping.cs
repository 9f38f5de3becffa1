using System.Globalization;
using System.Text.Json.Nodes;
using Cove.Agent.HttpTools.Declarations;
using Cove.Agent.Tools;

namespace Cove.Agent.HttpTools.Answers;

/// <summary>What of an answer is told, and how its failures are recognised.</summary>
internal sealed record ResponseMapping
{
    /// <summary>The statuses of success. Default: 200 to 299.</summary>
    public IReadOnlyList<(int From, int To)> Success { get; init; } = [(200, 299)];

    /// <summary>What the body must say besides; null for nothing.</summary>
    public ResponseCondition? When { get; init; }

    /// <summary>The fields that are picked, in order. Default none: the whole body is told.</summary>
    public IReadOnlyList<ResponseField> Fields { get; init; } = [];

    /// <summary>Where a failure's message is; the first that is there counts.</summary>
    public IReadOnlyList<ResponsePath> Messages { get; init; } = [ResponsePath.Message, ResponsePath.Error];

    /// <summary>Where a failure's own code is; null for nowhere.</summary>
    public ResponsePath? Code { get; init; }

    /// <summary>What such codes mean.</summary>
    public IReadOnlyDictionary<string, ToolErrorCategory> Codes { get; init; } = new Dictionary<string, ToolErrorCategory>();

    /// <summary>Whether the body is a text rather than JSON. Default no.</summary>
    public bool IsText { get; init; }

    /// <summary>The largest body that is read, unpacked. Default 256 KiB; 1 KiB to 4 MiB.</summary>
    public int MaximumBytes { get; init; } = 256 * 1024;

    public bool IsSuccess(int status) => Success.Any(range => status >= range.From && status <= range.To);
}

/// <summary>A field of the result.</summary>
/// <param name="Name">Its name there.</param>
/// <param name="Path">Where it is in the answer.</param>
/// <param name="Type">Its JSON schema type; null for any. A value of another type is told as null.</param>
/// <param name="Description">What it is, for models.</param>
internal sealed record ResponseField(string Name, ResponsePath Path, string? Type, string? Description);

/// <summary>A value the body must have.</summary>
internal sealed record ResponseCondition(ResponsePath Path, JsonNode? Is)
{
    public bool Holds(JsonNode? body) => JsonNode.DeepEquals(Path.Find(body), Is);
}

/// <summary>A place in a JSON value: names and indexes joined by dots, <c>errors.0.message</c>.</summary>
internal sealed record ResponsePath(IReadOnlyList<string> Steps)
{
    public const string Form = "names and indexes joined by dots, for example errors.0.message (at most 16)";

    public static readonly ResponsePath Message = new(["message"]);
    public static readonly ResponsePath Error = new(["error"]);

    public static ResponsePath? TryParse(string text) =>
        text.Split('.') is { Length: <= 16 } steps && steps.All(step => step.Length is >= 1 and <= 200) ? new ResponsePath(steps) : null;

    public static ResponsePath Read(SourceFile file, Node node, string path) => node is ScalarNode { IsNull: false, Text: var text } && TryParse(text) is { } made
        ? made
        : throw file.Bad(node.Line, $"{path} is {node.Kind}", $"Give a path: {Form}.");

    /// <summary>What is there; null when nothing is.</summary>
    public JsonNode? Find(JsonNode? value)
    {
        foreach (var step in Steps)
        {
            value = value switch
            {
                JsonObject full => full[step],
                JsonArray list when int.TryParse(step, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < list.Count => list[index],
                _ => null,
            };
        }

        return value;
    }
}
