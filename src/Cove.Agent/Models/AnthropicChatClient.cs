using System.Runtime.CompilerServices;
using System.Text.Json;
using Anthropic;
using Anthropic.Exceptions;
using Cove.Agent.Loop;
using Microsoft.Extensions.AI;
using MessageCreateParams = Anthropic.Models.Messages.MessageCreateParams;
using RawMessageStreamEvent = Anthropic.Models.Messages.RawMessageStreamEvent;

namespace Cove.Agent.Models;

/// <summary>
/// The Messages API as an <see cref="IChatClient"/>. The package carries the request and reads the stream; the mapping is ours, because the package's own makes one
/// of <c>end_turn</c> and <c>stop_sequence</c>, and one of <c>max_tokens</c> and <c>model_context_window_exceeded</c>, and can't send a message back unchanged.
/// </summary>
internal sealed class AnthropicChatClient(AnthropicClient client, HttpClient http, AnthropicModelOptions options) : IChatClient
{
    private static readonly Dictionary<string, JsonElement> _none = [];

    public async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var collector = new TurnCollector();
        await foreach (var update in GetStreamingResponseAsync(messages, options, cancellationToken))
        {
            collector.Add(update);
        }

        var turn = collector.Finish();
        return new ChatResponse(turn.Message)
        {
            FinishReason = StopReasons.ToFinishReason(turn.StopReason),
            ModelId = turn.Model,
            Usage = collector.Tokens.ToUsage(),
        };
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var stream = new AnthropicStream();
        var body = AnthropicRequest.Write([.. messages], options, Options);
        var request = MessageCreateParams.FromRawUnchecked(_none, _none, body);
        await using var events = client.Messages.CreateStreaming(request, cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (await NextAsync(events, cancellationToken))
        {
            foreach (var update in stream.Take(events.Current.Json))
            {
                yield return update;
            }
        }

        if (!stream.Ended)
        {
            throw ModelFailures.Make(ModelFailureKind.Dropped, "The model's answer broke off before its end.");
        }
    }

    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(ChatClientMetadata) ? new ChatClientMetadata("anthropic", Options.BaseUrl, Options.Model)
            : serviceType == typeof(AnthropicClient) ? client
            : serviceType.IsInstanceOfType(this) ? this : null;
    }

    public void Dispose()
    {
        client.Dispose();
        http.Dispose();
    }

    private AnthropicModelOptions Options => options;

    private static async Task<bool> NextAsync(IAsyncEnumerator<RawMessageStreamEvent> events, CancellationToken cancellationToken)
    {
        try
        {
            return await events.MoveNextAsync();
        }
        catch (Exception failure) when (!cancellationToken.IsCancellationRequested)
        {
            throw Known(failure);
        }
    }

    private static ModelException Known(Exception failure) => failure switch
    {
        AnthropicSseException broken => OfEvent(broken),
        AnthropicInvalidDataException invalid => ModelFailures.Make(ModelFailureKind.Malformed, "The model's answer can't be read: " + invalid.GetType().Name + ".", cause: invalid),
        // The SDK says "I/O exception" of all of them; why stands in what it wraps.
        AnthropicIOException { InnerException: HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError } unreachable } =>
            ModelFailures.Of(unreachable),
        AnthropicIOException broken => ModelFailures.Make(ModelFailureKind.Dropped, $"The connection to the model broke: {broken.GetBaseException().Message}", cause: broken),
        _ => ModelFailures.Of(failure),
    };

    /// <summary>An error in the middle of a stream, which came after the status 200.</summary>
    private static ModelException OfEvent(AnthropicSseException broken)
    {
        var kind = broken.Body is { ValueKind: JsonValueKind.Object } body && body.TryGetProperty("error", out var error) && error.ValueKind is JsonValueKind.Object
            && error.TryGetProperty("type", out var type) && type.ValueKind is JsonValueKind.String ? ModelFailures.OfType(type.GetString()) : null;

        // No header came with it. What is rate limited now is tried again after the usual wait.
        return ModelFailures.Make(kind is null or ModelFailureKind.RateLimited ? ModelFailureKind.Unavailable : kind.Value, $"The model's provider broke its answer off: {broken.ApiMessage}", cause: broken);
    }
}
