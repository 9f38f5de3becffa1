using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Cove.Tests.Agent.ChatClients;

/// <summary>A model that says what a test wants and remembers what it was asked.</summary>
internal sealed class FakeModel(params AIContent[][] answers) : IChatClient
{
    private int _at;

    public ConcurrentQueue<(List<ChatMessage> Messages, ChatOptions? Options)> Asked { get; } = new();

    public bool Disposed { get; private set; }

    /// <summary>When set, its side keeps the conversation under this id.</summary>
    public string? ConversationId { get; init; }

    public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Asked.Enqueue(([.. messages], options?.Clone()));
        var contents = answers[Math.Min(_at++, answers.Length - 1)];
        var calls = contents.Any(c => c is FunctionCallContent);
        return Task.FromResult(new ChatResponse(new ChatMessage(ChatRole.Assistant, [.. contents]) { MessageId = $"m{_at}" })
        {
            ResponseId = $"r{_at}",
            ConversationId = ConversationId,
            ModelId = "fake",
            FinishReason = calls ? ChatFinishReason.ToolCalls : ChatFinishReason.Stop,
            Usage = new UsageDetails { InputTokenCount = 10, OutputTokenCount = 1 },
        });
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var response = await GetResponseAsync(messages, options, cancellationToken);
        foreach (var content in response.Messages[0].Contents)
        {
            yield return Update(response, [content]);
        }

        var last = Update(response, [new UsageContent(response.Usage!)]);
        last.FinishReason = response.FinishReason;
        yield return last;
    }

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose() => Disposed = true;

    private static ChatResponseUpdate Update(ChatResponse response, IList<AIContent> contents) => new(ChatRole.Assistant, contents)
    {
        MessageId = response.Messages[0].MessageId, ResponseId = response.ResponseId, ModelId = response.ModelId, ConversationId = response.ConversationId,
    };
}
