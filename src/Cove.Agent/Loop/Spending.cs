using Cove.Agent.Models;
using Cove.Agent.Tools;

namespace Cove.Agent.Loop;

/// <summary>What was spent, and whether a budget is gone.</summary>
internal sealed class Spending(AgentOptions options)
{
    /// <summary>Failures that are the code's: those of the sandbox, of rules and of the tool's input spend nothing.</summary>
    private static readonly HashSet<ToolErrorCategory> _ofCode =
    [
        ToolErrorCategory.Syntax, ToolErrorCategory.Name, ToolErrorCategory.Type, ToolErrorCategory.MissingModule, ToolErrorCategory.Exception,
        ToolErrorCategory.Timeout, ToolErrorCategory.OutputLimit, ToolErrorCategory.Memory, ToolErrorCategory.Permission,
    ];

    /// <summary>Calls that were answered without anything being run.</summary>
    private static readonly HashSet<ToolErrorCategory> _neverRan = [ToolErrorCategory.Policy, ToolErrorCategory.Input, ToolErrorCategory.NotFound];

    private readonly RepeatedFailures _repeated = new();
    private int _failedRounds;
    private bool _lastFailed;

    public int Iterations { get; set; }

    public int CodeAttempts { get; private set; }

    public int Retries { get; private set; }

    public int ToolCalls { get; private set; }

    /// <summary>Takes the results of one answer's calls; returns what the model is to be told of each, beyond the result.</summary>
    public IReadOnlyList<string?> Take(IReadOnlyList<(ToolCall Call, ToolResult Result)> results)
    {
        ToolCalls += results.Count;
        var code = results.Where(r => options.CodeTools.Contains(r.Call.Name) && (r.Result.Error is not { } error || !_neverRan.Contains(error.ErrorCategory))).ToList();
        if (code.Count > 0)
        {
            CodeAttempts += code.Count;
            if (_lastFailed)
            {
                Retries++;
                AgentMeter.CodeRetried();
            }

            _lastFailed = code.Any(r => r.Result.Error is { } error && _ofCode.Contains(error.ErrorCategory));
            _failedRounds += _lastFailed ? 1 : 0;
        }

        return [.. results.Select(r => r.Result.Error is { } error ? RepeatedFailures.Notice(_repeated.Note(r.Call, error)) : null)];
    }

    /// <summary>The first budget that is spent, with a sentence about it; null when there is something left of each.</summary>
    public (AgentBudget Budget, string Reason)? Spent(TokenCount tokens, bool timeIsOver)
    {
        if (timeIsOver)
        {
            return (AgentBudget.WallTime, $"the wall time of {options.Timeout.TotalSeconds:0.###} s is over");
        }

        if (_repeated.Most >= options.MaxRepeatedFailures)
        {
            return (AgentBudget.RepeatedFailure, $"the same failure came {_repeated.Most} times");
        }

        if (_failedRounds > options.MaxCodeRetries)
        {
            return (AgentBudget.CodeRetries, $"code failed {_failedRounds} times, and retries are bounded at {options.MaxCodeRetries}");
        }

        if (tokens.Total >= options.MaxTotalTokens)
        {
            return (AgentBudget.Tokens, $"{tokens.Total} tokens were used; {options.MaxTotalTokens} were allowed");
        }

        return Iterations >= options.MaxIterations ? (AgentBudget.Iterations, $"the model was asked {Iterations} times, which is all that was allowed") : null;
    }
}
