using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text.Json;
using Cove.Agent.Models;
using Cove.Agent.Tools;

namespace Cove.Agent.Loop;

/// <summary>What agents count and trace. Costs nothing unless somebody listens; no label is chosen by a model or a caller but the names of tools that exist.</summary>
internal static class AgentMeter
{
    /// <summary>The name of the source of agents' spans.</summary>
    public const string Name = "Cove.Agent";

    private static readonly Meter _meter = new("Cove");

    private static readonly Counter<long> _runs = _meter.CreateCounter<long>("cove.agent.runs", "{run}", "Questions that came to an end, by outcome.");
    private static readonly Histogram<double> _durations = _meter.CreateHistogram<double>("cove.agent.run.duration", "s", "Time from a question to its end.");
    private static readonly Counter<long> _turns = _meter.CreateCounter<long>("cove.agent.turns", "{turn}", "Answers of models, by stop reason.");
    private static readonly Counter<long> _modelRetries = _meter.CreateCounter<long>("cove.agent.model.retries", "{retry}", "Calls of models made again, by the kind of failure.");
    private static readonly Counter<long> _calls = _meter.CreateCounter<long>("cove.agent.tool.calls", "{call}", "Calls of tools, by tool and result: ok, or the error's category.");
    private static readonly Counter<long> _attempts = _meter.CreateCounter<long>("cove.agent.code.attempts", "{attempt}", "Runs of code, by result.");
    private static readonly Counter<long> _retries = _meter.CreateCounter<long>("cove.agent.code.retries", "{retry}", "Rounds of code that followed a failed one.");
    private static readonly Counter<long> _tokens = _meter.CreateCounter<long>("cove.agent.tokens", "{token}", "Tokens, by kind: input, output, cache_read, cache_write.");
    private static readonly ActivitySource _source = new(Name);

    public static Activity? StartRun(string correlationId) => _source.StartActivity("agent")?.SetTag("cove.correlation_id", correlationId);

    public static Activity? StartTurn(int iteration, bool withheld) =>
        _source.StartActivity("agent.turn")?.SetTag("cove.iteration", iteration).SetTag("cove.tools_withheld", withheld);

    public static Activity? StartTool(string tool) => _source.StartActivity("agent.tool")?.SetTag("cove.tool", tool);

    public static void RunEnded(Activity? activity, AgentResult result)
    {
        var outcome = Word(result.Outcome);
        activity?.SetTag("cove.outcome", outcome).SetTag("cove.iterations", result.Iterations).SetTag("cove.code_attempts", result.CodeAttempts);
        activity?.SetStatus(result.Outcome is AgentOutcome.ModelFailed ? ActivityStatusCode.Error : ActivityStatusCode.Unset);
        _runs.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
        _durations.Record(result.DurationMs / 1000d);
    }

    public static void TurnEnded(Activity? activity, ModelTurn turn)
    {
        // What a provider may say is not ours to choose: what we do not know is one label.
        var reason = turn.StopReason is StopReasons.EndTurn or StopReasons.ToolUse or StopReasons.MaxTokens or StopReasons.StopSequence or StopReasons.PauseTurn
            or StopReasons.Refusal or StopReasons.ContextExceeded ? turn.StopReason : "other";
        activity?.SetTag("cove.stop_reason", reason);
        _turns.Add(1, new KeyValuePair<string, object?>("stop_reason", reason));
    }

    public static void Counted(TokenCount tokens)
    {
        _tokens.Add(tokens.Input, new KeyValuePair<string, object?>("kind", "input"));
        _tokens.Add(tokens.Output, new KeyValuePair<string, object?>("kind", "output"));
        _tokens.Add(tokens.CacheRead, new KeyValuePair<string, object?>("kind", "cache_read"));
        _tokens.Add(tokens.CacheWrite, new KeyValuePair<string, object?>("kind", "cache_write"));
    }

    public static void ModelRetried(ModelFailureKind kind) => _modelRetries.Add(1, new KeyValuePair<string, object?>("kind", Word(kind)));

    public static void ToolEnded(Activity? activity, string? tool, bool isCode, ToolError? error)
    {
        var result = error is null ? "ok" : Word(error.ErrorCategory);
        activity?.SetTag("cove.result", result);
        _calls.Add(1, new("tool", tool ?? "unknown"), new("result", result));
        if (isCode)
        {
            _attempts.Add(1, new KeyValuePair<string, object?>("result", result));
        }
    }

    public static void CodeRetried() => _retries.Add(1);

    internal static string Word<T>(T value)
        where T : struct, Enum => JsonNamingPolicy.SnakeCaseLower.ConvertName(value.ToString());
}
