using System.Text.Json;
using System.Text.Json.Serialization;
using Cove.Agent.Models;
using Cove.Agent.Tools;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Loop;

/// <summary>What a question came to.</summary>
public sealed record AgentResult
{
    /// <summary>The answer; empty when there is none.</summary>
    public required string Answer { get; init; }

    /// <summary>How it ended.</summary>
    public required AgentOutcome Outcome { get; init; }

    /// <summary>The same in a sentence, with what is known of why.</summary>
    public required string Reason { get; init; }

    /// <summary>The model's last word on why it stopped, for example <c>end_turn</c>; null when it never came to one.</summary>
    public string? StopReason { get; init; }

    /// <summary>The budget that was spent first; null when none was.</summary>
    public AgentBudget? Budget { get; init; }

    /// <summary>How the model failed; null when it did not.</summary>
    public ModelFailure? Failure { get; init; }

    /// <summary>Calls of the model that came to an answer.</summary>
    public required int Iterations { get; init; }

    /// <summary>Calls of tools that run code (<see cref="AgentOptions.CodeTools"/>), failed ones included.</summary>
    public required int CodeAttempts { get; init; }

    /// <summary>Rounds of code that followed a failed one.</summary>
    public required int Retries { get; init; }

    /// <summary>Calls of the model that were made again because it failed.</summary>
    public required int ModelRetries { get; init; }

    /// <summary>Calls of tools, of whatever kind.</summary>
    public required int ToolCalls { get; init; }

    /// <summary>Tokens of all calls together, in and out, cached ones included.</summary>
    public required long TotalTokens { get; init; }

    /// <summary>Tokens read at the full price.</summary>
    public required long InputTokens { get; init; }

    /// <summary>Tokens written by the model.</summary>
    public required long OutputTokens { get; init; }

    /// <summary>Tokens read from the provider's cache.</summary>
    public required long CacheReadTokens { get; init; }

    /// <summary>Tokens read and put into the provider's cache.</summary>
    public required long CacheWriteTokens { get; init; }

    /// <summary>What the tokens cost, US dollars; null when the price of the model is not known.</summary>
    [JsonPropertyName("cost_usd")]
    public decimal? Cost { get; init; }

    /// <summary>The model that answered; null when it did not say.</summary>
    public string? Model { get; init; }

    /// <summary>From question to end, milliseconds.</summary>
    public required long DurationMs { get; init; }

    /// <summary>Files that tools made or changed, each once.</summary>
    public IReadOnlyList<ToolArtifact> Artifacts { get; init; } = [];

    /// <summary>What logs, traces and the transcript know the run by.</summary>
    public required string CorrelationId { get; init; }

    /// <summary>Everything that was said, fit to go on from: every call of a tool in it is answered.</summary>
    [JsonIgnore]
    public IReadOnlyList<ChatMessage> Messages { get; init; } = [];

    /// <summary>The result as JSON, names in snake case.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, AgentJson.Printed.AgentResult);
}

/// <summary>How a question ended.</summary>
[JsonConverter(typeof(SnakeCase<AgentOutcome>))]
public enum AgentOutcome
{
    /// <summary>The model answered.</summary>
    Answered,

    /// <summary>A budget was spent; the answer, if there is one, is what the model could say with what it had.</summary>
    BudgetSpent,

    /// <summary>The model refused.</summary>
    Refused,

    /// <summary>The answer was cut at the most tokens one answer may have.</summary>
    MaxTokens,

    /// <summary>The conversation no longer fits the model's context window.</summary>
    ContextExceeded,

    /// <summary>The model stopped for a reason that this version does not know.</summary>
    Stopped,

    /// <summary>The caller interrupted it.</summary>
    Interrupted,

    /// <summary>The model could not be reached, or failed.</summary>
    ModelFailed,
}

/// <summary>What can be spent.</summary>
[JsonConverter(typeof(SnakeCase<AgentBudget>))]
public enum AgentBudget
{
    /// <summary><see cref="AgentOptions.MaxIterations"/>.</summary>
    Iterations,

    /// <summary><see cref="AgentOptions.MaxCodeRetries"/>.</summary>
    CodeRetries,

    /// <summary><see cref="AgentOptions.MaxTotalTokens"/>.</summary>
    Tokens,

    /// <summary><see cref="AgentOptions.Timeout"/>.</summary>
    WallTime,

    /// <summary><see cref="AgentOptions.MaxRepeatedFailures"/>.</summary>
    RepeatedFailure,
}

/// <summary>How a model failed.</summary>
/// <param name="Kind">The kind, in one word.</param>
/// <param name="Message">What happened.</param>
/// <param name="Remediation">What to do about it.</param>
/// <param name="Status">The HTTP status; null when there was none.</param>
/// <param name="RequestId">What the provider's support knows the request by; null when it did not say.</param>
public sealed record ModelFailure(ModelFailureKind Kind, string Message, string Remediation, int? Status = null, string? RequestId = null);

/// <summary>Writes an enum's values as words joined by underscores.</summary>
internal sealed class SnakeCase<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false)
    where T : struct, Enum;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AgentResult))]
internal sealed partial class AgentJson : JsonSerializerContext
{
    public static AgentJson Printed => field ??= new(new JsonSerializerOptions(Default.Options) { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
}
