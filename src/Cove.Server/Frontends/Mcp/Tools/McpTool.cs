using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Cove.Server.Hosting;
using ModelContextProtocol.Protocol;

namespace Cove.Server.Frontends.Mcp.Tools;

/// <summary>One call of a tool.</summary>
internal sealed record McpCall
{
    /// <summary>Who asks.</summary>
    public required McpCaller Caller { get; init; }

    /// <summary>The arguments, as they came from a model.</summary>
    public required IDictionary<string, JsonElement>? Arguments { get; init; }

    /// <summary>Takes what there is to tell while the call goes on; null when nobody listens.</summary>
    public Func<ProgressNote, Task>? Progress { get; init; }
}

/// <summary>Something to tell while a call goes on.</summary>
/// <param name="Elapsed">For how long it goes on.</param>
/// <param name="Message">What it wrote since the last note; or that it is still at work.</param>
internal readonly record struct ProgressNote(TimeSpan Elapsed, string Message);

/// <summary>A tool as this front-end offers it: what hosts are told of it, and what it does.</summary>
internal abstract class McpTool
{
    /// <summary>Its name.</summary>
    public abstract string Name { get; }

    /// <summary>What a call is called on record.</summary>
    public virtual string Operation => "mcp_" + Name;

    /// <summary>What a caller's key must allow.</summary>
    public virtual Scopes Needs => Scopes.Read;

    /// <summary>What hosts and models are told of it, for sandboxes of these templates.</summary>
    public abstract Tool Describe(IReadOnlyList<TemplateInfo> templates);

    /// <summary>Answers one call. An error of Cove is thrown; it becomes a result in one place.</summary>
    public abstract Task<CallToolResult> CallAsync(McpCall call, CancellationToken cancellationToken);
}

/// <summary>A tool whose input and answer are types: the schemas are made of them, so they can't say anything else.</summary>
internal abstract class McpTool<TInput, TAnswer>(JsonTypeInfo<TInput> input, JsonTypeInfo<TAnswer> answer) : McpTool
    where TInput : class
    where TAnswer : class
{
    private readonly Lazy<JsonElement> _inputSchema = new(() => McpSchema.Input(input));
    private readonly Lazy<JsonElement> _outputSchema = new(() => McpSchema.Output(answer));

    protected abstract string Title { get; }

    protected virtual ToolAnnotations Hints => new() { ReadOnlyHint = Needs == Scopes.Read, DestructiveHint = false, IdempotentHint = Needs == Scopes.Read, OpenWorldHint = false };

    public sealed override Tool Describe(IReadOnlyList<TemplateInfo> templates) => new()
    {
        Name = Name,
        Title = Title,
        Description = Description(templates),
        InputSchema = _inputSchema.Value,
        OutputSchema = _outputSchema.Value,
        Annotations = Hints,
    };

    public sealed override Task<CallToolResult> CallAsync(McpCall call, CancellationToken cancellationToken) => AnswerAsync(McpInput.Read(call.Arguments, input), call, cancellationToken);

    /// <summary>What the model is told.</summary>
    protected abstract string Description(IReadOnlyList<TemplateInfo> templates);

    /// <summary>Does it.</summary>
    protected abstract Task<CallToolResult> AnswerAsync(TInput input, McpCall call, CancellationToken cancellationToken);

    /// <summary>The answer as hosts take it: structured, and the same as text, with what else is to be shown after it.</summary>
    protected CallToolResult Result(TAnswer value, params IEnumerable<ContentBlock> more) => McpResult.Of(value, answer, more);
}
