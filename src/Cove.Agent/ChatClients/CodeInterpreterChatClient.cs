using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Cove.Agent.ChatClients;

/// <summary>
/// Fulfils <see cref="HostedCodeInterpreterTool"/> with a sandbox, for any model: the model is offered <c>run_python</c> and <c>bash</c> instead, what it calls is
/// run, and the caller sees <see cref="CodeInterpreterToolCallContent"/> and <see cref="CodeInterpreterToolResultContent"/> as from a service that hosts the
/// tool itself. Requests without that tool pass through. Calls of other functions are left to the caller.
/// For any number of requests at once; those that share a sandbox share its variables. Dispose it to end its sandboxes (and the inner client).
/// </summary>
public sealed class CodeInterpreterChatClient : DelegatingChatClient, IAsyncDisposable
{
    private readonly ICove _cove;
    private readonly CodeInterpreterOptions _options;
    private readonly InterpreterSandboxes _sandboxes;

    /// <summary>A client whose model's code runs in sandboxes of <paramref name="cove"/>, which is not disposed with it.</summary>
    public CodeInterpreterChatClient(IChatClient inner, ICove cove, CodeInterpreterOptions? options = null)
        : base(inner)
    {
        ArgumentNullException.ThrowIfNull(cove);
        (_cove, _options) = (cove, options ?? new CodeInterpreterOptions());
        _options.Check();
        _sandboxes = new InterpreterSandboxes(cove, _options);
    }

    /// <inheritdoc/>
    public override async Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        if (!IsAskedFor(options))
        {
            return await base.GetResponseAsync(messages, options, cancellationToken);
        }

        var sandbox = await _sandboxes.TakeAsync(options.ConversationId, cancellationToken);
        try
        {
            var turn = await InterpreterTurn.BeginAsync(sandbox, _options.MaxIterations, messages, options, cancellationToken);
            return await AnswerAsync(turn, cancellationToken);
        }
        finally
        {
            await _sandboxes.GiveBackAsync(sandbox);
        }
    }

    /// <inheritdoc/>
    public override async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (!IsAskedFor(options))
        {
            await foreach (var update in base.GetStreamingResponseAsync(messages, options, cancellationToken))
            {
                yield return update;
            }

            yield break;
        }

        var sandbox = await _sandboxes.TakeAsync(options.ConversationId, cancellationToken);
        try
        {
            var turn = await InterpreterTurn.BeginAsync(sandbox, _options.MaxIterations, messages, options, cancellationToken);
            await foreach (var update in StreamAsync(turn, cancellationToken))
            {
                yield return update;
            }
        }
        finally
        {
            await _sandboxes.GiveBackAsync(sandbox);
        }
    }

    /// <summary>The files of the sandbox that a conversation has; null when it has none (yet, or any more). The id is not looked at with <see cref="CodeInterpreterScope.Client"/>.</summary>
    [Experimental("MEAI001")]
    public async Task<SandboxFileClient?> FilesAsync(string? conversationId = null, CancellationToken cancellationToken = default) =>
        await _sandboxes.FindAsync(conversationId, cancellationToken) is { } sandbox ? new SandboxFileClient(_cove, sandbox) : null;

    /// <summary>Ends the sandbox of a conversation; one that has none is no error.</summary>
    public Task CloseConversationAsync(string? conversationId, CancellationToken cancellationToken = default) => _sandboxes.CloseAsync(conversationId, cancellationToken);

    /// <summary>Ends the sandboxes and disposes the inner client.</summary>
    public async ValueTask DisposeAsync()
    {
        await _sandboxes.DisposeAsync();
        base.Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            // Who disposes without waiting still ends what would go on running; on the pool, so that no caller's context is waited for.
            Task.Run(async () => await _sandboxes.DisposeAsync()).GetAwaiter().GetResult();
        }

        base.Dispose(disposing);
    }

    private static bool IsAskedFor([NotNullWhen(true)] ChatOptions? options) => options?.Tools?.Any(tool => tool is HostedCodeInterpreterTool) == true;

    private async Task<ChatResponse> AnswerAsync(InterpreterTurn turn, CancellationToken cancellationToken)
    {
        var shown = new List<ChatMessage>();
        var usage = new UsageDetails();
        while (true)
        {
            var said = await base.GetResponseAsync(turn.Messages, turn.Options, cancellationToken);
            if (said.Usage is { } used)
            {
                usage.Add(used);
            }

            var contents = said.Messages.SelectMany(m => m.Contents).ToArray();
            var results = await turn.AnswerAsync(contents.Where(turn.IsOurs).Cast<FunctionCallContent>(), cancellationToken);
            shown.AddRange(said.Messages.Select(message => Shown(message, turn)));
            if (results.Count > 0)
            {
                // Behind all calls of the message, so that it can be told again which belong together.
                shown[^1].Contents = [.. shown[^1].Contents, .. results];
            }

            if (results.Count == 0 || contents.Any(turn.IsOthers) || !turn.Next(said, results))
            {
                return Whole(said, shown, usage);
            }
        }
    }

    private async IAsyncEnumerable<ChatResponseUpdate> StreamAsync(InterpreterTurn turn, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            var updates = new List<ChatResponseUpdate>();
            var others = false;
            await foreach (var update in base.GetStreamingResponseAsync(turn.Messages, turn.Options, cancellationToken))
            {
                updates.Add(update);
                others |= update.Contents.Any(turn.IsOthers);
                var goesOn = !others && updates.Any(u => u.Contents.Any(turn.IsOurs));
                yield return Shown(update, turn, goesOn);
            }

            var results = await turn.AnswerAsync(updates.SelectMany(u => u.Contents).Where(turn.IsOurs).Cast<FunctionCallContent>(), cancellationToken);
            if (results.Count > 0)
            {
                var last = updates[^1];
                yield return new ChatResponseUpdate(ChatRole.Assistant, [.. results])
                {
                    MessageId = last.MessageId, ResponseId = last.ResponseId, ModelId = last.ModelId, ConversationId = last.ConversationId,
                };
            }

            if (results.Count == 0 || others || !turn.Next(updates.ToChatResponse(), results))
            {
                yield break;
            }
        }
    }

    private static ChatMessage Shown(ChatMessage message, InterpreterTurn turn)
    {
        var copy = message.Clone();
        copy.Contents = turn.Shown(message.Contents);
        return copy;
    }

    private static ChatResponseUpdate Shown(ChatResponseUpdate update, InterpreterTurn turn, bool goesOn)
    {
        var copy = update.Clone();
        copy.Contents = turn.Shown(update.Contents);
        copy.FinishReason = goesOn ? null : update.FinishReason; // it is not finished when the code has yet to run
        return copy;
    }

    private static ChatResponse Whole(ChatResponse last, List<ChatMessage> shown, UsageDetails usage) => new(shown)
    {
        ResponseId = last.ResponseId,
        ConversationId = last.ConversationId,
        ModelId = last.ModelId,
        CreatedAt = last.CreatedAt,
        FinishReason = last.FinishReason,
        AdditionalProperties = last.AdditionalProperties,
        RawRepresentation = last.RawRepresentation,
        Usage = usage,
    };
}
