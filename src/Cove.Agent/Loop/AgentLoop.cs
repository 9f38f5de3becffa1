using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Loop;

/// <summary>
/// A model that works with tools until it has an answer. Why the model stopped decides what comes next; every call of a tool is answered; every budget ends in an
/// answer with what there is. Any <see cref="IChatClient"/> and any <see cref="AIFunction"/>s will do. For any number of questions, also at once.
/// </summary>
public sealed class AgentLoop
{
    private readonly IChatClient _model;
    private readonly IReadOnlyList<AITool> _tools;
    private readonly AgentOptions _options;

    /// <summary>Puts a model, its tools and its limits together.</summary>
    /// <param name="model">The model. Not disposed.</param>
    /// <param name="tools">What it may call: functions are called here, other kinds of tools are only passed on. No two of one name.</param>
    /// <param name="options">Budgets, instructions, rules. Default: <see cref="AgentOptions"/>.</param>
    public AgentLoop(IChatClient model, IReadOnlyList<AITool> tools, AgentOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(tools);
        options ??= new AgentOptions();
        options.Check();
        if (tools.GroupBy(tool => tool.Name).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            throw new ArgumentException($"Two tools are called '{twice.Key}'. Give each tool a name of its own.", nameof(tools));
        }

        (_model, _tools, _options) = (model, tools, options);
    }

    /// <summary>Answers a question. What fails is in the result, not thrown; cancelling interrupts, and the result then says so.</summary>
    public Task<AgentResult> RunAsync(string question, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(question);
        return new AgentRun(_model, _tools, _options, [], static _ => { }).RunAsync([new ChatMessage(ChatRole.User, question)], cancellationToken);
    }

    /// <summary>Answers a question and tells what happens on the way.</summary>
    public IAsyncEnumerable<AgentEvent> StreamAsync(string question, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(question);
        return StreamAsync([], new ChatMessage(ChatRole.User, question), cancellationToken);
    }

    /// <summary>
    /// Goes on with a conversation, for example <see cref="AgentResult.Messages"/> of an earlier question, and tells what happens. The last event is always
    /// <see cref="AgentCompleted"/>: cancelling interrupts and still ends with it. Leaving the enumeration interrupts, too.
    /// </summary>
    /// <param name="earlier">What was said before.</param>
    /// <param name="message">What is said now.</param>
    /// <param name="cancellationToken">Interrupts.</param>
    public async IAsyncEnumerable<AgentEvent> StreamAsync(
        IReadOnlyList<ChatMessage> earlier, ChatMessage message, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(earlier);
        ArgumentNullException.ThrowIfNull(message);

        // Not bounded: what a tool may write is bounded by the tool, and a slow reader must not slow the model's connection down until it is dropped.
        var events = Channel.CreateUnbounded<AgentEvent>(new UnboundedChannelOptions { SingleReader = true });
        using var left = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var run = new AgentRun(_model, _tools, _options, earlier, next => events.Writer.TryWrite(next));
        var work = Task.Run(() => WorkAsync(run, message, events.Writer, left.Token), CancellationToken.None);
        try
        {
            await foreach (var next in events.Reader.ReadAllAsync(CancellationToken.None))
            {
                yield return next;
            }
        }
        finally
        {
            await left.CancelAsync();
            await work;
        }
    }

    private static async Task WorkAsync(AgentRun run, ChatMessage message, ChannelWriter<AgentEvent> events, CancellationToken cancellationToken)
    {
        try
        {
            var result = await run.RunAsync([message], cancellationToken);
            events.TryWrite(new AgentCompleted(result));
            events.TryComplete();
        }
        catch (Exception fault)
        {
            // A fault of ours reaches whoever reads, in its place in the order.
            events.TryComplete(fault);
        }
    }
}
