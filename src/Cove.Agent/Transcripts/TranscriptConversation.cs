using System.Text.Json;
using Cove.Agent.Loop;
using Cove.Agent.Tools;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Transcripts;

/// <summary>
/// The conversation in a transcript, fit to be gone on with. It is what was said, no more: of pictures there is the size, the model's reasoning is left out
/// (without its signature no provider takes it back), and what was redacted stays so.
/// </summary>
public static class TranscriptConversation
{
    private static readonly ToolError _failed = new() { ErrorCategory = ToolErrorCategory.Exception, IsRetryable = false, Context = "The call failed.", Remediation = "" };

    /// <summary>Reads the messages. A call without a result (the run was killed) gets one that says so, since no model takes up a conversation with a call that nobody answered.</summary>
    /// <param name="transcript">What <see cref="TranscriptWriter"/> wrote. Whoever wrote it puts words into the model's mouth.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="FormatException">A line is none of a transcript, or there is no message.</exception>
    public static async Task<IReadOnlyList<ChatMessage>> ReadAsync(Stream transcript, CancellationToken cancellationToken = default)
    {
        var made = new Conversation();
        await foreach (var line in TranscriptReader.ReadAsync(transcript, cancellationToken))
        {
            if (line is StartLine { Version: not 1 } other)
            {
                throw new FormatException($"The transcript's form is {other.Version}, and only 1 is known.");
            }

            if (line is MessageLine message)
            {
                made.Add(message);
            }
        }

        made.AnswerOpenCalls();
        return made.Messages.Count > 0 ? made.Messages : throw new FormatException("The transcript holds no message.");
    }

    private sealed class Conversation
    {
        private readonly List<string> _open = [];

        public List<ChatMessage> Messages { get; } = [];

        public void Add(MessageLine line)
        {
            var role = line.Role switch
            {
                "user" => ChatRole.User,
                "assistant" => ChatRole.Assistant,
                "tool" => ChatRole.Tool,
                "system" => ChatRole.System,
                _ => throw new FormatException($"A message is said by '{Excerpts.Shown(line.Role)}', and not by user, assistant, tool or system."),
            };
            if (role != ChatRole.Tool)
            {
                AnswerOpenCalls();
            }

            if (line.Content.Select(block => Content(role, block)).OfType<AIContent>().ToList() is { Count: > 0 } contents)
            {
                Messages.Add(new ChatMessage(role, contents));
            }
        }

        public void AnswerOpenCalls()
        {
            if (_open.Count > 0)
            {
                Messages.Add(new ChatMessage(ChatRole.Tool, [.. _open.Select(id => Result(id, true, [new TextContent("Not known: the conversation ended before the result was written down.")]))]));
                _open.Clear();
            }
        }

        private AIContent? Content(ChatRole role, TranscriptBlock block)
        {
            switch (block)
            {
                case { Type: "tool_use", Id: { Length: > 0 } id, Name: { Length: > 0 } name } when role == ChatRole.Assistant && !_open.Contains(id):
                    _open.Add(id);
                    return new FunctionCallContent(id, name, Arguments(block.Input));
                case { Type: "tool_result", Id: { } id } when role == ChatRole.Tool && _open.Remove(id):
                    return Result(id, block.IsError is true, [.. (block.Content ?? []).Select(Plain).OfType<AIContent>()]);
                default:
                    return Plain(block);
            }
        }

        private static TextContent? Plain(TranscriptBlock block) => block switch
        {
            { Type: "text", Text: { Length: > 0 } text } => new TextContent(text),
            { Type: "data" } => new TextContent($"[{block.MediaType}, {block.SizeBytes} bytes: not in the transcript]"),
            _ => null,
        };

        private static FunctionResultContent Result(string id, bool failed, List<AIContent> contents) =>
            new(id, contents is [] ? "" : contents is [TextContent only] ? only.Text : contents) { Exception = failed ? new CallFailure(_failed) : null };

        private static Dictionary<string, object?> Arguments(JsonElement? input)
        {
            if (input is not { ValueKind: JsonValueKind.Object } given)
            {
                return [];
            }

            try
            {
                return given.EnumerateObject().GroupBy(property => property.Name).ToDictionary(same => same.Key, object? (same) => same.Last().Value);
            }
            catch (InvalidOperationException failure)
            {
                throw new FormatException("The input of a call has a name that is no text.", failure);
            }
        }
    }
}
