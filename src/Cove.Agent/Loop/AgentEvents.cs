using Cove.Agent.HostCalls;
using Cove.Agent.Models;
using Cove.Agent.Tools;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Loop;

/// <summary>Something that happened while an agent works. The last event is always <see cref="AgentCompleted"/>, and there is exactly one.</summary>
public abstract record AgentEvent;

/// <summary>The run begins.</summary>
/// <param name="CorrelationId">What logs, traces and the transcript know it by.</param>
/// <param name="Model">The model that is asked for; null: the client's own.</param>
public sealed record AgentStarted(string CorrelationId, string? Model) : AgentEvent;

/// <summary>The model is asked.</summary>
/// <param name="Iteration">How often now, from 1.</param>
/// <param name="ToolsWithheld">Whether it is to answer with what it has.</param>
public sealed record TurnStarted(int Iteration, bool ToolsWithheld) : AgentEvent;

/// <summary>A piece of text, as the model writes it.</summary>
public sealed record TextWritten(string Text) : AgentEvent;

/// <summary>The model's connection failed and it now says something else than before: what it wrote in this turn so far no longer counts.</summary>
public sealed record TextWithdrawn : AgentEvent;

/// <summary>A message that now belongs to the conversation: the question, an answer of the model, results of tools, a word of the loop.</summary>
public sealed record MessageAdded(ChatMessage Message) : AgentEvent;

/// <summary>What a turn used, and what all together did.</summary>
/// <param name="Turn">The turn's tokens.</param>
/// <param name="Total">All tokens until now.</param>
/// <param name="Cost">What they cost until now, US dollars; null when it is not known.</param>
public sealed record TokensCounted(TokenCount Turn, TokenCount Total, decimal? Cost) : AgentEvent;

/// <summary>The model failed and is asked again.</summary>
/// <param name="Retry">Which retry of this call, from 1.</param>
/// <param name="Delay">How long is waited before.</param>
/// <param name="Failure">What happened.</param>
public sealed record ModelRetrying(int Retry, TimeSpan Delay, ModelFailure Failure) : AgentEvent;

/// <summary>A call of a tool begins.</summary>
public sealed record ToolStarted(ToolCall Call) : AgentEvent;

/// <summary>A piece of what a tool's program writes.</summary>
/// <param name="CallId">The call's id.</param>
/// <param name="Output">The piece: raw.</param>
public sealed record ToolWrote(string CallId, ToolOutput Output) : AgentEvent;

/// <summary>Code that a tool runs called a tool of the host, and the call is over, refused ones included.</summary>
/// <param name="CallId">The id of the call whose code it was.</param>
/// <param name="Record">The call, and what became of it.</param>
public sealed record HostToolCalled(string CallId, HostCallRecord Record) : AgentEvent;

/// <summary>A call of a tool ended, in whatever way.</summary>
/// <param name="Call">The call.</param>
/// <param name="Result">What it came to.</param>
/// <param name="Duration">How long it took.</param>
public sealed record ToolEnded(ToolCall Call, ToolResult Result, TimeSpan Duration) : AgentEvent;

/// <summary>A budget is spent: the tools are withheld from now on.</summary>
/// <param name="Budget">Which.</param>
/// <param name="Reason">The same in a sentence.</param>
public sealed record BudgetExhausted(AgentBudget Budget, string Reason) : AgentEvent;

/// <summary>The end.</summary>
public sealed record AgentCompleted(AgentResult Result) : AgentEvent;
