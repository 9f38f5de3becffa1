using Microsoft.Extensions.AI;

namespace Cove.Agent.ChatClients;

/// <summary>
/// Turns a conversation that callers hold, with calls and results of the interpreter side by side in the assistant's messages, into the one the model's
/// client knows: calls in the assistant's message, and all results of its calls, ours and the caller's, in the one message after it. Pure.
/// </summary>
internal sealed class InterpreterHistory
{
    private readonly List<ChatMessage> _messages = [];
    private readonly List<AIContent> _results = [];

    public static List<ChatMessage> Translate(IEnumerable<ChatMessage> messages)
    {
        var all = messages.ToList();

        // A call whose result did not come back with it can't be answered any more; models refuse a conversation that holds one.
        var answered = all.SelectMany(m => m.Contents).OfType<CodeInterpreterToolResultContent>().Select(r => r.CallId).ToHashSet(StringComparer.Ordinal);
        var history = new InterpreterHistory();
        foreach (var message in all)
        {
            history.Add(message, answered);
        }

        history.GiveResults();
        return history._messages;
    }

    private void Add(ChatMessage message, HashSet<string> answered)
    {
        if (!message.Contents.Any(IsOurs))
        {
            if (message.Role == ChatRole.Tool && _results.Count > 0)
            {
                message = With(message, [.. _results, .. message.Contents]);
                _results.Clear();
            }

            GiveResults();
            _messages.Add(message);
            return;
        }

        GiveResults();
        var said = new List<AIContent>();
        foreach (var content in message.Contents)
        {
            if (content is CodeInterpreterToolResultContent result)
            {
                _results.Add(InterpreterContents.Answer(result));
                continue;
            }

            if (_results.Count > 0)
            {
                // What follows results was said by the model when it had read them.
                _messages.Add(With(message, said));
                GiveResults();
                said = [];
            }

            if (content is not CodeInterpreterToolCallContent call)
            {
                said.Add(content);
            }
            else if (answered.Contains(call.CallId))
            {
                said.Add(InterpreterContents.Call(call));
            }
        }

        if (said.Count > 0)
        {
            _messages.Add(With(message, said));
        }
    }

    private void GiveResults()
    {
        if (_results.Count > 0)
        {
            _messages.Add(new ChatMessage(ChatRole.Tool, [.. _results]));
            _results.Clear();
        }
    }

    private static bool IsOurs(AIContent content) => content is CodeInterpreterToolCallContent or CodeInterpreterToolResultContent;

    private static ChatMessage With(ChatMessage message, IList<AIContent> contents)
    {
        var copy = message.Clone();
        copy.Contents = contents;
        return copy;
    }
}
