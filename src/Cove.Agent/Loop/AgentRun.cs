using Cove.Agent.Models;
using Cove.Agent.Tools;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Loop;

/// <summary>One question on its way to an answer. <see cref="AgentLoop"/> makes a new one each time.</summary>
internal sealed class AgentRun
{
    /// <summary>How many answers in a row may be cut before nothing more is expected.</summary>
    private const int MaxCutTurns = 3;

    private readonly AgentOptions _options;
    private readonly IReadOnlyList<AITool> _tools;
    private readonly Action<AgentEvent> _tell;
    private readonly List<ChatMessage> _messages;
    private readonly ModelCalls _model;
    private readonly ToolCalls _calls;
    private readonly Spending _spending;
    private readonly Costs _costs;
    private readonly List<ToolArtifact> _artifacts = [];
    private readonly string _correlationId;
    private (AgentBudget Budget, string Reason)? _spent;
    private ModelTurn? _last;
    private string _pausedText = "";
    private int _cutTurns;

    public AgentRun(IChatClient model, IReadOnlyList<AITool> tools, AgentOptions options, IReadOnlyList<ChatMessage> earlier, Action<AgentEvent> tell)
    {
        (_options, _tools, _tell, _messages) = (options, tools, tell, [.. earlier]);
        _correlationId = options.CorrelationId ?? "a" + Guid.NewGuid().ToString("N");
        _model = new ModelCalls(model, options, tell);
        _calls = new ToolCalls(tools, options, _correlationId, tell);
        _spending = new Spending(options);
        _costs = new Costs(options);
    }

    public async Task<AgentResult> RunAsync(IReadOnlyList<ChatMessage> asked, CancellationToken cancellationToken)
    {
        var began = _options.Time.GetTimestamp();
        using var activity = AgentMeter.StartRun(_correlationId);
        _tell(new AgentStarted(_correlationId, _options.Model));
        foreach (var message in asked)
        {
            Say(message);
        }

        using var deadline = new CancellationTokenSource(_options.Timeout, _options.Time);
        using var hard = new CancellationTokenSource(_options.Timeout + _options.FinalAnswerTime, _options.Time);
        using var model = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, hard.Token);
        AgentEnd end;
        try
        {
            end = await GoOnAsync(deadline.Token, model.Token, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            end = new AgentEnd(AgentOutcome.Interrupted, "It was interrupted.");
        }
        catch (OperationCanceledException) when (hard.IsCancellationRequested)
        {
            _spent ??= (AgentBudget.WallTime, "");
            end = new AgentEnd(AgentOutcome.BudgetSpent, $"The wall time of {_options.Timeout.TotalSeconds:0.###} s was over, and no last answer came in the {_options.FinalAnswerTime.TotalSeconds:0.###} s after it.");
        }
        catch (ModelException failure)
        {
            end = new AgentEnd(AgentOutcome.ModelFailed, failure.Failure.Message) { Failure = failure.Failure };
        }

        var result = Result(end, _options.Time.GetElapsedTime(began));
        AgentMeter.RunEnded(activity, result);
        return result;
    }

    private async Task<AgentEnd> GoOnAsync(CancellationToken deadline, CancellationToken model, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var turn = await AskAsync(model);
            if (Ended(turn) is { } end)
            {
                Close(turn, end);
                return end;
            }

            if (turn.Calls.Count > 0)
            {
                await AnswerCallsAsync(turn, deadline, cancellationToken);
            }

            if (_spending.Spent(_model.Tokens, deadline.IsCancellationRequested) is { } spent)
            {
                if (turn.StopReason is StopReasons.PauseTurn)
                {
                    // A paused answer can only be taken up as it is; there is no place for a word between.
                    Withhold(spent);
                    return new AgentEnd(AgentOutcome.BudgetSpent, $"The model paused, and {spent.Reason}.");
                }

                Withhold(spent);
                Say(new ChatMessage(ChatRole.User, $"Your tools are withheld from now on: {spent.Reason}. Answer now with what you have. Say what is certain, what is not, and what is missing."));
            }
        }
    }

    private async Task<ModelTurn> AskAsync(CancellationToken cancellationToken)
    {
        _tell(new TurnStarted(_spending.Iterations + 1, _spent is not null));
        using var activity = AgentMeter.StartTurn(_spending.Iterations + 1, _spent is not null);
        var before = _model.Tokens;
        try
        {
            var turn = await _model.AskAsync(_messages, Request(), cancellationToken);
            _spending.Iterations++;
            _pausedText = _last is { StopReason: StopReasons.PauseTurn, Calls.Count: 0 } paused ? _pausedText + paused.Text : "";
            _last = turn;
            AgentMeter.TurnEnded(activity, turn);
            Say(turn.Message);
            return turn;
        }
        finally
        {
            Count(before);
        }
    }

    private void Count(TokenCount before)
    {
        var turn = _model.Tokens - before;
        _costs.Add(_model.TakeCalls());
        AgentMeter.Counted(turn);
        _tell(new TokensCounted(turn, _model.Tokens, _costs.Total));
    }

    /// <summary>Whether a turn is the last, and as what; null when it goes on.</summary>
    private AgentEnd? Ended(ModelTurn turn)
    {
        _cutTurns = turn.StopReason is StopReasons.MaxTokens ? _cutTurns + 1 : 0;
        switch (turn.StopReason)
        {
            case StopReasons.ToolUse when turn.Calls.Count == 0:
                return new AgentEnd(AgentOutcome.Stopped, "The model said that it calls a tool, and called none.");
            case StopReasons.ToolUse or StopReasons.MaxTokens when turn.Calls.Count > 0 && _spent is { } spent:
                return new AgentEnd(AgentOutcome.BudgetSpent, $"{Sentence(spent.Reason)}, and the model asked for a tool once more.");
            case StopReasons.MaxTokens when turn.Calls.Count == 0 || _cutTurns >= MaxCutTurns:
                return new AgentEnd(AgentOutcome.MaxTokens, "The answer was cut at the most tokens one answer may have; more are allowed by MaxOutputTokens (--max-output-tokens).");
            case StopReasons.ToolUse or StopReasons.MaxTokens or StopReasons.PauseTurn:
                return null;
            case StopReasons.EndTurn or StopReasons.StopSequence when _spent is { } spent:
                return new AgentEnd(AgentOutcome.BudgetSpent, $"{Sentence(spent.Reason)}; this is what the model could say with what it had.");
            case StopReasons.EndTurn:
                return new AgentEnd(AgentOutcome.Answered, "The model answered.");
            case StopReasons.StopSequence:
                return new AgentEnd(AgentOutcome.Answered, "The model answered, up to a stop sequence.");
            case StopReasons.Refusal:
                return new AgentEnd(AgentOutcome.Refused, "The model refused" + (turn.StopDetails is { Length: > 0 } why ? $": {why}" : "."));
            case StopReasons.ContextExceeded:
                return new AgentEnd(AgentOutcome.ContextExceeded, "The conversation no longer fits the model's context window: ask for less, or in parts.");
            default:
                return new AgentEnd(AgentOutcome.Stopped, $"The model stopped for a reason that is not known here: {turn.StopReason}.");
        }
    }

    private async Task AnswerCallsAsync(ModelTurn turn, CancellationToken deadline, CancellationToken cancellationToken)
    {
        var results = await _calls.RunAsync(turn.Calls, turn.StopReason is StopReasons.MaxTokens, deadline, cancellationToken);
        var notices = _spending.Take(results);
        _artifacts.AddRange(results.SelectMany(r => r.Result.Artifacts));
        Say(new ChatMessage(ChatRole.Tool, [.. results.Select((r, i) => CallResult.Of(r.Call.Id, Noticed(r.Result, notices[i]), _options.MaxResultCharacters))]));
    }

    /// <summary>An end with calls that nobody answers would leave a conversation that no model takes up again.</summary>
    private void Close(ModelTurn turn, AgentEnd end)
    {
        if (turn.Calls.Count > 0)
        {
            var category = end.Outcome is AgentOutcome.BudgetSpent ? ToolErrorCategory.Budget : ToolErrorCategory.Interrupted;
            Say(new ChatMessage(ChatRole.Tool, [.. Loop.ToolCalls.NotDone(turn.Calls, category, $"Not done: {end.Reason}")]));
        }
    }

    private void Withhold((AgentBudget Budget, string Reason) spent)
    {
        if (_spent is null)
        {
            _spent = spent;
            _tell(new BudgetExhausted(spent.Budget, Sentence(spent.Reason) + "."));
        }
    }

    /// <summary>Tools stay declared when they are withheld: a conversation that holds calls is refused without their declarations.</summary>
    private ChatOptions Request() => new()
    {
        Instructions = _options.Instructions,
        ModelId = _options.Model,
        MaxOutputTokens = _options.MaxOutputTokens,
        Tools = [.. _tools],
        ToolMode = _tools.Count == 0 ? null : _spent is null ? ChatToolMode.Auto : ChatToolMode.None,
    };

    private void Say(ChatMessage message)
    {
        _messages.Add(message);
        _tell(new MessageAdded(message));
    }

    private AgentResult Result(AgentEnd end, TimeSpan duration) => new()
    {
        Answer = end.Outcome is AgentOutcome.Interrupted or AgentOutcome.ModelFailed ? "" : (_pausedText + _last?.Text).Trim(),
        Outcome = end.Outcome,
        Reason = end.Reason,
        StopReason = _last?.StopReason,
        Budget = _spent?.Budget,
        Failure = end.Failure,
        Iterations = _spending.Iterations,
        CodeAttempts = _spending.CodeAttempts,
        Retries = _spending.Retries,
        ModelRetries = _model.Retries,
        ToolCalls = _spending.ToolCalls,
        TotalTokens = _model.Tokens.Total,
        InputTokens = _model.Tokens.Input,
        OutputTokens = _model.Tokens.Output,
        CacheReadTokens = _model.Tokens.CacheRead,
        CacheWriteTokens = _model.Tokens.CacheWrite,
        Cost = _costs.Total,
        Model = _last?.Model ?? _options.Model,
        DurationMs = (long)duration.TotalMilliseconds,
        Artifacts = [.. _artifacts.AsEnumerable().Reverse().DistinctBy(artifact => artifact.Path).Reverse()],
        CorrelationId = _correlationId,
        Messages = [.. _messages],
    };

    private static ToolResult Noticed(ToolResult result, string? notice) =>
        notice is null ? result : result with { Content = [.. result.Content, new TextContent(notice)] };

    private static string Sentence(string words) => char.ToUpperInvariant(words[0]) + words[1..];
}

/// <summary>How a run ends.</summary>
internal sealed record AgentEnd(AgentOutcome Outcome, string Reason)
{
    public ModelFailure? Failure { get; init; }
}
