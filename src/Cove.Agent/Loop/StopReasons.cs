using Microsoft.Extensions.AI;

namespace Cove.Agent.Loop;

/// <summary>Why a model stopped, in the words of the Messages API; what other clients say is translated.</summary>
internal static class StopReasons
{
    public const string EndTurn = "end_turn";
    public const string ToolUse = "tool_use";
    public const string MaxTokens = "max_tokens";
    public const string StopSequence = "stop_sequence";
    public const string PauseTurn = "pause_turn";
    public const string Refusal = "refusal";
    public const string ContextExceeded = "model_context_window_exceeded";

    /// <summary>The key under which an update may say why the model refused.</summary>
    public const string DetailsKey = "stop_details";

    /// <summary>The word for a client's finish reason. A client that says nothing has stopped for its calls, or at its end.</summary>
    public static string Of(ChatFinishReason? reason, bool hasCalls) => reason?.Value switch
    {
        null or "" => hasCalls ? ToolUse : EndTurn,
        "stop" => EndTurn,
        "tool_calls" => ToolUse,
        "length" => MaxTokens,
        "content_filter" => Refusal,
        var other => other,
    };

    /// <summary>The finish reason that stands for a word, lossless.</summary>
    public static ChatFinishReason ToFinishReason(string reason) => reason switch
    {
        EndTurn => ChatFinishReason.Stop,
        ToolUse => ChatFinishReason.ToolCalls,
        MaxTokens => ChatFinishReason.Length,
        Refusal => ChatFinishReason.ContentFilter,
        _ => new ChatFinishReason(reason),
    };
}
