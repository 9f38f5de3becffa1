using Cove.Agent.Tools;
using Microsoft.Extensions.AI;

namespace Cove.Agent.ChatClients;

/// <summary>One request of a caller, over as many requests to the model as it takes.</summary>
internal sealed class InterpreterTurn
{
    private readonly InterpreterSandbox _sandbox;
    private readonly int _most;
    private int _round = 1;

    private InterpreterTurn(InterpreterSandbox sandbox, int most, List<ChatMessage> messages, ChatOptions options) =>
        (_sandbox, _most, Messages, Options) = (sandbox, most, messages, options);

    /// <summary>What the model is sent next.</summary>
    public List<ChatMessage> Messages { get; private set; }

    public ChatOptions Options { get; }

    public static async Task<InterpreterTurn> BeginAsync(
        InterpreterSandbox sandbox, int most, IEnumerable<ChatMessage> messages, ChatOptions asked, CancellationToken cancellationToken)
    {
        var hosted = asked.Tools!.OfType<HostedCodeInterpreterTool>().ToArray();
        var files = await sandbox.PutAsync(hosted.SelectMany(tool => tool.Inputs ?? []), cancellationToken);
        var others = asked.Tools!.Where(tool => tool is not HostedCodeInterpreterTool).ToArray();
        if (others.FirstOrDefault(tool => sandbox.Has(tool.Name)) is { } clash)
        {
            throw new ArgumentException($"ChatOptions.Tools holds both a HostedCodeInterpreterTool and a tool named {clash.Name}, which it brings itself. Rename that tool, or leave one of them out.", nameof(asked));
        }

        var options = asked.Clone();
        options.Tools = [.. others, .. sandbox.Declarations(files)];
        var turn = new InterpreterTurn(sandbox, most, InterpreterHistory.Translate(messages), options);
        turn.Bound();
        return turn;
    }

    public bool IsOurs(AIContent content) => content is FunctionCallContent { InformationalOnly: false } call && _sandbox.Has(call.Name);

    /// <summary>A call that is the caller's to answer.</summary>
    public bool IsOthers(AIContent content) => content is FunctionCallContent { InformationalOnly: false } call && !_sandbox.Has(call.Name);

    /// <summary>What a caller sees of what the model said.</summary>
    public IList<AIContent> Shown(IEnumerable<AIContent> contents) => [.. contents.Select(c => IsOurs(c) ? InterpreterContents.Shown((FunctionCallContent)c) : c)];

    /// <summary>Runs the calls, side by side as far as the sandbox lets them.</summary>
    public async Task<List<CodeInterpreterToolResultContent>> AnswerAsync(IEnumerable<FunctionCallContent> calls, CancellationToken cancellationToken)
    {
        var answered = calls.Select(async call =>
        {
            ToolResult result = await _sandbox.CallAsync(call, cancellationToken);
            return InterpreterContents.Shown(InterpreterContents.Answer(call.CallId, result), result, _sandbox.Id);
        });
        return [.. await Task.WhenAll(answered)];
    }

    /// <summary>Prepares the next request to the model; false when it was asked often enough.</summary>
    public bool Next(ChatResponse said, IEnumerable<CodeInterpreterToolResultContent> results)
    {
        if (_round == _most)
        {
            return false;
        }

        _round++;
        var answers = new ChatMessage(ChatRole.Tool, [.. results.Select(InterpreterContents.Answer)]);
        if (said.ConversationId is { } conversation)
        {
            // The model's side keeps the conversation: it wants only what is new.
            Options.ConversationId = conversation;
            Messages = [answers];
        }
        else
        {
            Messages = [.. Messages, .. said.Messages, answers];
        }

        if (Options.ToolMode is RequiredChatToolMode)
        {
            Options.ToolMode = null; // it has called one, as was required; asked again it would never answer
        }

        Bound();
        return true;
    }

    private void Bound()
    {
        if (_round == _most && _most > 1)
        {
            Options.ToolMode = ChatToolMode.None;
        }
    }
}
