using System.Text.Json;
using System.Text.RegularExpressions;
using Cove.ScriptedModel.Playing;

namespace Cove.ScriptedModel.Scripts;

/// <summary>Where a text is found in what came in.</summary>
internal sealed record Source(SourceKind Kind)
{
    /// <summary>The call whose result is meant, by the name the script or the tool has; null: all results that came.</summary>
    public string? Of { get; init; }

    /// <summary>A place in the result read as JSON; null: its text.</summary>
    public JsonPlace? Path { get; init; }

    /// <summary>What to take of the text: the first group, or all of the match when there is none.</summary>
    public Regex? Pattern { get; init; }

    /// <summary>The text, or null and why there is none.</summary>
    public string? Find(Situation situation, out string missing)
    {
        missing = "";
        var text = Kind switch
        {
            SourceKind.Message => situation.Message,
            SourceKind.System => situation.System,
            SourceKind.Model => situation.Model,
            _ => OfResults(situation, ref missing),
        };
        if (text is null || Pattern is null)
        {
            return text;
        }

        var match = Pattern.Match(text);
        if (!match.Success)
        {
            missing = $"{this} should match \"{Pattern}\"; it is: {Excerpt.Of(text)}";
            return null;
        }

        return match.Groups.Count > 1 ? match.Groups[1].Value : match.Value;
    }

    public static string TextOf(IEnumerable<ResultView> results) => string.Join('\n', results.SelectMany(r => r.Texts));

    private string? OfResults(Situation situation, ref string missing)
    {
        var results = situation.Of(Of);
        if (results.Count == 0)
        {
            missing = Of is null ? "no tool result came" : $"no result of the call {Of} came";
            return null;
        }

        if (Path is null)
        {
            return TextOf(results);
        }

        foreach (var text in results.SelectMany(r => r.Texts))
        {
            if (Path.Find(text) is { } found)
            {
                return found;
            }
        }

        missing = $"{this} should be there; the result is: {Excerpt.Of(TextOf(results))}";
        return null;
    }

    public override string ToString() => Kind switch
    {
        SourceKind.Message => "the message",
        SourceKind.System => "the system prompt",
        SourceKind.Model => "the model",
        _ => $"the result{(Of is null ? "" : " of " + Of)}{(Path is null ? "" : " at " + Path)}",
    };
}

internal enum SourceKind
{
    ToolResult,
    Message,
    System,
    Model,
}

/// <summary>A place in a JSON text: names joined by dots, places in lists in brackets.</summary>
internal sealed record JsonPlace(string Written)
{
    private readonly string[] _steps = Written.Replace("[", ".[", StringComparison.Ordinal).Split('.', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>What is there, as text; null when neither the text nor one of its lines is JSON that has something there.</summary>
    public string? Find(string text) =>
        In(text) ?? text.Split('\n').Where(line => line.StartsWith('{')).Select(In).FirstOrDefault(found => found is not null);

    private string? In(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            var at = document.RootElement;
            foreach (var step in _steps)
            {
                if (!Step(ref at, step))
                {
                    return null;
                }
            }

            return at.ValueKind == JsonValueKind.String ? at.GetString() : at.GetRawText();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool Step(ref JsonElement at, string step)
    {
        if (step[0] != '[')
        {
            return at.ValueKind == JsonValueKind.Object && at.TryGetProperty(step, out at);
        }

        if (at.ValueKind != JsonValueKind.Array || !int.TryParse(step.AsSpan(1, step.Length - 2), out var index) || index < 0 || index >= at.GetArrayLength())
        {
            return false;
        }

        at = at[index];
        return true;
    }

    public override string ToString() => Written;
}
