using System.Runtime.CompilerServices;
using System.Text.Json;
using Cove.Agent.Loop;
using Cove.Agent.Tools;
using Microsoft.Extensions.AI;

namespace Cove.Tests.Support;

/// <summary>A model that answers what the test wants, turn by turn, and remembers what it was asked.</summary>
internal sealed class FakeModel : IChatClient
{
    private readonly Queue<Func<FakeAsked, CancellationToken, IAsyncEnumerable<ChatResponseUpdate>>> _turns = new();

    public List<FakeAsked> Asked { get; } = [];

    /// <summary>What every further turn does once the script is over; null: a failure of the test.</summary>
    public Func<FakeAsked, CancellationToken, IAsyncEnumerable<ChatResponseUpdate>>? Always { get; init; }

    public FakeModel Then(params IReadOnlyList<ChatResponseUpdate> updates) => Then((_, _) => Play(updates));

    public FakeModel Then(Func<FakeAsked, CancellationToken, IAsyncEnumerable<ChatResponseUpdate>> turn)
    {
        _turns.Enqueue(turn);
        return this;
    }

    public FakeModel Says(string text, string stopReason = "end_turn") => Then(Text(text), Stop(stopReason));

    public FakeModel Calls(params IReadOnlyList<FunctionCallContent> calls) => Then([.. calls.Select(Call), Stop("tool_use")]);

    /// <summary>Breaks off after the updates.</summary>
    public FakeModel Fails(Exception failure, params IReadOnlyList<ChatResponseUpdate> before) => Then((_, _) => Play(before, failure));

    public static ChatResponseUpdate Text(string text) => new(ChatRole.Assistant, text);

    public static ChatResponseUpdate Call(FunctionCallContent call) => new(ChatRole.Assistant, [call]);

    public static FunctionCallContent Tool(string id, string name, params IReadOnlyList<(string Name, object? Value)> input) =>
        new(id, name, input.ToDictionary(i => i.Name, i => (object?)JsonSerializer.SerializeToElement(i.Value)));

    public static ChatResponseUpdate Stop(string reason, string? details = null) => new(ChatRole.Assistant, [])
    {
        FinishReason = StopReasons.ToFinishReason(reason),
        AdditionalProperties = details is null ? null : new() { [StopReasons.DetailsKey] = details },
    };

    public static ChatResponseUpdate Used(long input, long output, long cacheRead = 0, long cacheWrite = 0) =>
        new(ChatRole.Assistant, [new UsageContent(new Cove.Agent.Models.TokenCount(input, output, cacheRead, cacheWrite).ToUsage())]);

    public static async IAsyncEnumerable<ChatResponseUpdate> Play(IReadOnlyList<ChatResponseUpdate> updates, Exception? failure = null)
    {
        foreach (var update in updates)
        {
            await Task.Yield();
            yield return update;
        }

        if (failure is not null)
        {
            throw failure;
        }
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var asked = new FakeAsked([.. messages], options!);
        Asked.Add(asked);
        var turn = _turns.TryDequeue(out var next) ? next : Always ?? throw new InvalidOperationException("The model was asked more often than the test says.");
        await foreach (var update in turn(asked, cancellationToken))
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return update;
        }
    }

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose()
    {
    }
}

/// <summary>One request to the model.</summary>
internal sealed record FakeAsked(IReadOnlyList<ChatMessage> Messages, ChatOptions Options)
{
    /// <summary>The results in the last message that holds any.</summary>
    public IReadOnlyList<FunctionResultContent> Results => [.. Messages.Last(m => m.Role == ChatRole.Tool).Contents.Cast<FunctionResultContent>()];
}

/// <summary>A tool that does what the test wants.</summary>
internal sealed class FakeTool(string name, Func<ToolCall, CancellationToken, Task<ToolResult>> answer) : AgentTool
{
    private int _calls;

    public override string Name => name;

    public override string Description => "A tool of a test.";

    public int Calls => _calls;

    public static FakeTool Says(string name, string text) => new(name, (_, _) => Task.FromResult(ToolResult.Of(text)));

    public static FakeTool Fails(string name, ToolErrorCategory category, Func<ToolCall, string>? context = null) => new(name, (call, _) => Task.FromResult(ToolResult.Failed(new ToolError
    {
        ErrorCategory = category,
        IsRetryable = true,
        Context = context?.Invoke(call) ?? "It failed.",
        Remediation = "Mend it.",
    })));

    public override Task<ToolResult> CallAsync(ToolCall call, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _calls);
        return answer(call, cancellationToken);
    }
}
