using System.Text.Json.Nodes;

namespace Cove.ScriptedModel.Scripts;

/// <summary>Reads the turns of the model.</summary>
internal static class TurnReader
{
    public static readonly string[] StopReasons =
        ["end_turn", "max_tokens", "stop_sequence", "tool_use", "pause_turn", "refusal", "model_context_window_exceeded", "compaction"];

    public static Turn Read(YamlMap map)
    {
        var label = map.Text("label");
        if (map.Maps("branches") is not { } branches)
        {
            return new Turn(map.Line, label, [Branch(map, when: null)]);
        }

        map.Close();
        var read = branches.Select(Alternative).ToArray();
        var early = read.SkipLast(1).FirstOrDefault(b => b.When is null);
        return early is null ? new Turn(map.Line, label, read) : throw map.Wrong(early.Line, "The branches after `otherwise` can't be reached.", "Make it the last one.");
    }

    private static Branch Alternative(YamlMap map)
    {
        var when = ConditionReader.Read(map, "when");
        var otherwise = map.Flag("otherwise") ?? false;
        if (when is null != otherwise)
        {
            throw map.Wrong(map.Line, "A branch has either a condition or none.", "Write `when: …` or, in the last branch, `otherwise: true`.");
        }

        return Branch(map, when);
    }

    private static Branch Branch(YamlMap map, Condition? when)
    {
        var faults = map.Maps("faults")?.Select(FaultReader.Read).ToArray() ?? [];
        var branch = new Branch
        {
            Line = map.Line,
            When = when,
            Expect = ConditionReader.Read(map, "expect"),
            Captures = ConditionReader.Captures(map),
            Faults = faults,
            Goto = map.Text("goto"),
            Answer = Answer(map),
        };
        map.Close();
        var endless = faults.Length > 0 && faults[^1].Times is null;
        if (!endless && IsEmpty(branch.Answer) && !map.Has("stop_reason"))
        {
            throw map.Wrong(map.Line, "The turn says nothing.", "Add text, calls, thinking, blocks, or a stop_reason for an empty answer; or `times: always` to its last fault.");
        }

        return branch;
    }

    private static bool IsEmpty(Answer answer) => answer is { Text: null, Thinking: null, Blocks: null, Calls.Count: 0 };

    private static Answer Answer(YamlMap map)
    {
        var calls = map.Maps("calls")?.Select(ReadCall).ToArray() ?? [];
        return new Answer
        {
            Thinking = map.Text("thinking"),
            Text = map.Text("text"),
            Calls = calls,
            Blocks = map.JsonList("blocks"),
            StopReason = StopReason(map, calls.Length > 0 ? "tool_use" : map.Has("stop_sequence") ? "stop_sequence" : "end_turn"),
            StopSequence = map.Text("stop_sequence"),
            StopDetails = map.JsonMap("stop_details"),
            Usage = map.JsonMap("usage"),
            Container = map.JsonMap("container"),
            Delay = map.Duration("delay") ?? TimeSpan.Zero,
            Pace = map.Duration("pace") ?? TimeSpan.Zero,
            PieceLength = map.Number("piece_length", 1, 100_000) ?? 24,
            UnknownEvents = map.Flag("unknown_events") ?? false,
        };
    }

    private static string StopReason(YamlMap map, string usual)
    {
        var reason = map.Text("stop_reason") ?? usual;

        // How a client takes a reason that is invented later is worth a test too.
        return StopReasons.Contains(reason, StringComparer.Ordinal) || reason.StartsWith("unknown_", StringComparison.Ordinal)
            ? reason
            : throw map.Wrong("stop_reason", $"stop_reason is \"{reason}\".", $"Write one of: {string.Join(", ", StopReasons)}; or unknown_… for one that nobody knows.");
    }

    private static Call ReadCall(YamlMap map)
    {
        var raw = map.Text("raw_input");
        if (raw is not null && map.Has("input"))
        {
            throw map.Wrong("raw_input", "The call has both input and raw_input.", "Keep one of them.");
        }

        var call = new Call(map.Line, map.RequiredText("tool"), map.JsonMap("input") ?? new JsonObject()) { As = map.Text("as"), RawInput = raw };
        map.Close();
        return call;
    }
}
