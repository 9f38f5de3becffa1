using System.Text.Json.Nodes;
using Cove.ScriptedModel.Playing;

namespace Cove.ScriptedModel.Scripts;

/// <summary>What can be known to be wrong before anything is said: labels and captures that are not there.</summary>
internal static class ScriptChecks
{
    public static void Check(Conversation conversation, YamlMap map)
    {
        var labels = conversation.Turns.Select(turn => turn.Label).OfType<string>().ToArray();
        if (labels.GroupBy(label => label, StringComparer.Ordinal).FirstOrDefault(group => group.Count() > 1) is { } twice)
        {
            throw map.Wrong(conversation.Turns.Last(turn => turn.Label == twice.Key).Line, $"There are two turns with the label {twice.Key}.", "Rename one.");
        }

        var captures = conversation.Turns.SelectMany(turn => turn.Branches).SelectMany(branch => branch.Captures).Select(capture => capture.Name).ToHashSet(StringComparer.Ordinal);
        foreach (var branch in conversation.Turns.SelectMany(turn => turn.Branches))
        {
            if (branch.Goto is { } label && !labels.Contains(label, StringComparer.Ordinal))
            {
                throw map.Wrong(branch.Line, $"There is no turn with the label {label}.", labels.Length == 0 ? "Add `label:` to the turn that is meant." : $"The labels are: {string.Join(", ", labels)}.");
            }

            if (Said(branch.Answer).SelectMany(Placeholders.Names).FirstOrDefault(name => !captures.Contains(name)) is { } unknown)
            {
                throw map.Wrong(branch.Line, $"Nothing is captured as {unknown}.", $"Add it to `capture`, or write \\{{{{ for braces that are meant as they are. Captured are: {string.Join(", ", captures.Order(StringComparer.Ordinal))}.");
            }
        }
    }

    private static IEnumerable<string> Said(Answer answer) =>
        new[] { answer.Text, answer.Thinking }.OfType<string>()
            .Concat(answer.Calls.Select(call => call.RawInput).OfType<string>())
            .Concat(answer.Calls.SelectMany(call => Strings(call.Input)))
            .Concat(Strings(answer.Blocks));

    private static IEnumerable<string> Strings(JsonNode? node) => node switch
    {
        JsonObject map => map.SelectMany(entry => Strings(entry.Value)),
        JsonArray list => list.SelectMany(Strings),
        JsonValue value when value.TryGetValue<string>(out var text) => [text],
        _ => [],
    };
}
