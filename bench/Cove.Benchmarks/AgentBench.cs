using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Cove.Agent.Loop;
using Cove.Agent.Tools;
using Microsoft.Extensions.AI;

namespace Cove.Benchmarks;

/// <summary>What the agent's loop itself costs: a model that answers at once and a tool that does nothing, both in this process.</summary>
internal static class AgentBench
{
    private const int Turns = 50;

    /// <summary>The time of one tool turn: the model is asked, calls a tool, and its result goes into the conversation.</summary>
    public static async Task<AgentReport> RunAsync(int questions, TimeProvider time, CancellationToken cancellationToken)
    {
        var turns = new Series("agent", "loop overhead per tool turn");
        var loop = new AgentLoop(new InstantModel(), [new NoTool()], new AgentOptions { MaxIterations = Turns + 1, CodeTools = new HashSet<string>(["nothing"]) });
        for (var i = 0; i < questions + 5; i++)
        {
            if (i == 5)
            {
                turns.Clear(); // the first ones compile the code
            }

            var began = time.GetTimestamp();
            await foreach (var next in loop.StreamAsync("?", cancellationToken))
            {
                if (next is AgentCompleted { Result: var result } && (result.Outcome, result.ToolCalls) != (AgentOutcome.Answered, Turns))
                {
                    throw new InvalidOperationException($"The loop did not do what is measured: {result.Reason}");
                }
            }

            turns.Add(time.GetElapsedTime(began) / Turns);
        }

        return new AgentReport { Machine = Machine.Read(), TurnP50Ms = turns.Percentile(0.5), TurnP95Ms = turns.Percentile(0.95), TurnP99Ms = turns.Percentile(0.99), Turns = turns.Count * Turns };
    }

    private sealed class InstantModel : IChatClient
    {
        public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            await Task.CompletedTask;
            var made = messages.Count(message => message.Role == ChatRole.Tool);
            if (made < Turns)
            {
                yield return new ChatResponseUpdate(ChatRole.Assistant, "Once more.");
                yield return new ChatResponseUpdate(ChatRole.Assistant, [new FunctionCallContent($"call{made}", "nothing", new Dictionary<string, object?> { ["code"] = "print(1)" })]) { FinishReason = ChatFinishReason.ToolCalls };
            }
            else
            {
                yield return new ChatResponseUpdate(ChatRole.Assistant, "Done.") { FinishReason = ChatFinishReason.Stop };
            }
        }

        public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }

    private sealed class NoTool : AgentTool
    {
        public override string Name => "nothing";

        public override string Description => "Does nothing.";

        public override Task<ToolResult> CallAsync(ToolCall call, CancellationToken cancellationToken) => Task.FromResult(ToolResult.Of("1\n"));
    }
}

/// <summary>What <c>cove bench --agent</c> found.</summary>
internal sealed record AgentReport
{
    public required Machine Machine { get; init; }

    public required double TurnP50Ms { get; init; }

    public required double TurnP95Ms { get; init; }

    public required double TurnP99Ms { get; init; }

    /// <summary>How many turns were measured, in questions of 50 each; the figures are of a question's average.</summary>
    public required int Turns { get; init; }

    public string ToJson() => JsonSerializer.Serialize(this, AgentBenchJson.Default.AgentReport);
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(AgentReport))]
internal sealed partial class AgentBenchJson : JsonSerializerContext;
