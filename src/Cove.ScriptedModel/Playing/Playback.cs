using System.Text.Json;
using Cove.ScriptedModel.Scripts;

namespace Cove.ScriptedModel.Playing;

/// <summary>
/// Finds the turn that answers a request, from the request alone: every assistant message in it is one answer the script gave, and what came between
/// them decides again which branches were taken and what was captured. So conversations need no ids and may run side by side, and the same request is
/// answered alike however often it is sent.
/// </summary>
internal sealed class Playback(Script script)
{
    public Reply Play(JsonElement request)
    {
        var messages = request.GetProperty("messages").EnumerateArray().ToArray();
        var opening = Situation.Of(request, messages.TakeWhile(m => Content.Role(m) != "assistant"), NoCalls);
        var conversation = Chosen(opening);
        var walk = new Walk(script.File, conversation, request);
        var from = 0;
        for (var at = 0; at < messages.Length; at++)
        {
            if (Content.Role(messages[at]) == "assistant")
            {
                walk.Passed(messages[from..at], messages[at], continued: at + 1 == messages.Length || Content.Role(messages[at + 1]) == "assistant");
                from = at + 1;
            }
        }

        return walk.Answer(messages[from..]);
    }

    private static Dictionary<string, (string Tool, string? As)> NoCalls { get; } = [];

    private Conversation Chosen(Situation opening) =>
        script.Conversations.FirstOrDefault(c => c.When is null || c.When.Fails(opening) is null)
        ?? throw new ScriptException(script.File, script.Conversations[0].Line, $"No conversation begins with this: {Excerpt.Of(opening.Message)}", "Add a conversation without `when`, or one that fits.");

    /// <summary>A walk through one conversation's turns.</summary>
    private sealed class Walk(string file, Conversation conversation, JsonElement request)
    {
        private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);
        private readonly Dictionary<string, (string Tool, string? As)> _calls = new(StringComparer.Ordinal);
        private int _at;

        /// <summary>Goes past an answer that was given.</summary>
        public void Passed(JsonElement[] arrived, JsonElement answer, bool continued)
        {
            var branch = Take(arrived, now: false);
            var calls = Content.Blocks(answer).Where(b => Content.Type(b) == "tool_use").ToArray();
            if (branch.Answer.StopReason == "pause_turn" && !continued)
            {
                // The paused answer and what followed it came back as one message.
                branch = Take([], now: false);
            }

            foreach (var (call, index) in calls.Select((call, index) => (call, index)))
            {
                _calls[call.GetProperty("id").GetString()!] = (call.GetProperty("name").GetString()!, branch.Answer.Calls.ElementAtOrDefault(index)?.As);
            }
        }

        public Reply Answer(JsonElement[] arrived)
        {
            var branch = Take(arrived, now: true);
            if (branch.Answer.Calls.FirstOrDefault(call => !Seen(arrived).Callable(call.Tool)) is { } call)
            {
                throw new ScriptException(file, call.Line, $"The turn calls {call.Tool}, which the request does not let it call; it lets: {Seen(arrived).CallableNames}.", "Offer the tool, or say with `when: {tools: …}` what is answered without it.");
            }

            return new Reply(branch, _values);
        }

        private Branch Take(JsonElement[] arrived, bool now)
        {
            if (_at >= conversation.Turns.Count)
            {
                throw new ScriptException(file, conversation.Turns[^1].Line, $"The conversation has only {conversation.Turns.Count} turns, and one more is asked for.", "Add a turn, or end the conversation earlier.");
            }

            var turn = conversation.Turns[_at];
            var situation = Seen(arrived);
            var branch = turn.Branches.FirstOrDefault(b => b.When is null || b.When.Fails(situation) is null) ?? throw NoBranch(turn, situation);
            if (now && branch.Expect?.Fails(situation) is { } failure)
            {
                throw new ScriptException(file, failure.Check.Line, $"What was expected did not come: {failure.Why}", "Mend what the client or its tools did, or the script.");
            }

            Remember(branch, situation);
            _at = branch.Goto is { } label ? conversation.Labelled(label) : _at + 1;
            return branch;
        }

        private Situation Seen(JsonElement[] arrived) => Situation.Of(request, arrived, _calls);

        private void Remember(Branch branch, Situation situation)
        {
            foreach (var capture in branch.Captures)
            {
                _values[capture.Name] = capture.Source.Find(situation, out var missing)
                    ?? throw new ScriptException(file, capture.Line, $"There is nothing to capture as {capture.Name}: {missing}", "Mend what the client or its tools did, or the script.");
            }
        }

        private ScriptException NoBranch(Turn turn, Situation situation)
        {
            var why = turn.Branches.Select(b => $"line {b.Line}: {b.When!.Fails(situation)!.Value.Why}");
            return new ScriptException(file, turn.Line, $"None of the branches fits; {string.Join("; ", why)}", "Add a branch that fits, or `otherwise: true`.");
        }
    }
}

/// <summary>The answer a request gets, with the values it speaks of.</summary>
internal sealed record Reply(Branch Branch, IReadOnlyDictionary<string, string> Values);
