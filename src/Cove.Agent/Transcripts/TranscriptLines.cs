using System.Text.Json;
using System.Text.Json.Serialization;
using Cove.Agent.Loop;

namespace Cove.Agent.Transcripts;

/// <summary>One line of a transcript. Names are in snake case; <c>type</c> says which.</summary>
[JsonPolymorphic(TypeDiscriminatorPropertyName = "type")]
[JsonDerivedType(typeof(StartLine), "start")]
[JsonDerivedType(typeof(MessageLine), "message")]
[JsonDerivedType(typeof(UsageLine), "usage")]
[JsonDerivedType(typeof(RetryLine), "model_retry")]
[JsonDerivedType(typeof(ToolLine), "tool")]
[JsonDerivedType(typeof(HostCallLine), "host_call")]
[JsonDerivedType(typeof(BudgetLine), "budget")]
[JsonDerivedType(typeof(EndLine), "end")]
public abstract record TranscriptLine
{
    /// <summary>When it was written.</summary>
    public DateTimeOffset Time { get; init; }

    /// <summary>The run it belongs to.</summary>
    public string CorrelationId { get; init; } = "";
}

/// <summary>A run begins.</summary>
public sealed record StartLine : TranscriptLine
{
    /// <summary>The form of the lines: 1.</summary>
    public int Version { get; init; } = 1;

    /// <summary>The model that is asked; null when nobody named one.</summary>
    public string? Model { get; init; }
}

/// <summary>A message of the conversation.</summary>
public sealed record MessageLine : TranscriptLine
{
    /// <summary>Who says it: <c>user</c>, <c>assistant</c>, <c>tool</c> or <c>system</c>.</summary>
    public required string Role { get; init; }

    /// <summary>Its parts, in their order.</summary>
    public required IReadOnlyList<TranscriptBlock> Content { get; init; }
}

/// <summary>A part of a message: text, reasoning, a call of a tool (<c>tool_use</c>), its result (<c>tool_result</c>), or a file of which only the size is kept (<c>data</c>).</summary>
public sealed record TranscriptBlock
{
    /// <summary>Its kind.</summary>
    public required string Type { get; init; }

    /// <summary>The text.</summary>
    public string? Text { get; init; }

    /// <summary>The id of the call.</summary>
    public string? Id { get; init; }

    /// <summary>The tool that is called.</summary>
    public string? Name { get; init; }

    /// <summary>The call's input.</summary>
    public JsonElement? Input { get; init; }

    /// <summary>The result's parts.</summary>
    public IReadOnlyList<TranscriptBlock>? Content { get; init; }

    /// <summary>Whether the result is a failure.</summary>
    public bool? IsError { get; init; }

    /// <summary>What a file is.</summary>
    public string? MediaType { get; init; }

    /// <summary>How big a file is.</summary>
    public long? SizeBytes { get; init; }
}

/// <summary>What a turn used.</summary>
public sealed record UsageLine : TranscriptLine
{
    /// <summary>Tokens read at the full price.</summary>
    public long InputTokens { get; init; }

    /// <summary>Tokens written.</summary>
    public long OutputTokens { get; init; }

    /// <summary>Tokens read from the cache.</summary>
    public long CacheReadTokens { get; init; }

    /// <summary>Tokens put into the cache.</summary>
    public long CacheWriteTokens { get; init; }

    /// <summary>All tokens of the run until now.</summary>
    public long TotalTokens { get; init; }

    /// <summary>What they cost until now, US dollars; null when it is not known.</summary>
    [JsonPropertyName("cost_usd")]
    public decimal? Cost { get; init; }
}

/// <summary>The model failed and is asked again.</summary>
public sealed record RetryLine : TranscriptLine
{
    /// <summary>Which retry of one call.</summary>
    public int Retry { get; init; }

    /// <summary>How long is waited, milliseconds.</summary>
    public long DelayMs { get; init; }

    /// <summary>What happened.</summary>
    public required ModelFailure Failure { get; init; }
}

/// <summary>A call of a tool ended.</summary>
public sealed record ToolLine : TranscriptLine
{
    /// <summary>The call's id.</summary>
    public required string Id { get; init; }

    /// <summary>The tool.</summary>
    public required string Name { get; init; }

    /// <summary>How long it took, milliseconds.</summary>
    public long DurationMs { get; init; }

    /// <summary>The category of its error; null when there was none.</summary>
    public string? Error { get; init; }
}

/// <summary>Code called a tool of the host, and the call is over. Its result went to the code and is not kept.</summary>
public sealed record HostCallLine : TranscriptLine
{
    /// <summary>The call's id, unique in its run.</summary>
    public required string Id { get; init; }

    /// <summary>The id of the <c>tool_use</c> whose code it was.</summary>
    public required string ToolUseId { get; init; }

    /// <summary>The run of that code.</summary>
    public required string Run { get; init; }

    /// <summary>The tool.</summary>
    public required string Name { get; init; }

    /// <summary>The arguments.</summary>
    public JsonElement? Input { get; init; }

    /// <summary>How long it took, waiting and approval included, milliseconds.</summary>
    public long DurationMs { get; init; }

    /// <summary>The category of its failure; null when there was none.</summary>
    public string? Error { get; init; }

    /// <summary>The failure in the words the code was told.</summary>
    public string? Message { get; init; }
}

/// <summary>A budget is spent.</summary>
public sealed record BudgetLine : TranscriptLine
{
    /// <summary>Which.</summary>
    public required AgentBudget Budget { get; init; }

    /// <summary>The same in a sentence.</summary>
    public required string Reason { get; init; }
}

/// <summary>The run's end.</summary>
public sealed record EndLine : TranscriptLine
{
    /// <summary>What it came to.</summary>
    public required AgentResult Result { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, AllowOutOfOrderMetadataProperties = true,
    RespectNullableAnnotations = true)]
[JsonSerializable(typeof(TranscriptLine))]
internal sealed partial class TranscriptJson : JsonSerializerContext;
