using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Tools;

/// <summary>
/// A tool a model can call. One class, one schema: the loop, MCP, HTTP and any .NET agent (it is an <see cref="AIFunction"/>) use the same.
/// A tool never throws for what it was asked to do: what failed is in the result's <see cref="ToolResult.Error"/>. It throws only when it is cancelled.
/// </summary>
public abstract class AgentTool : AIFunction
{
    /// <summary>Answers one call.</summary>
    /// <param name="call">What is asked for. Its input comes from a model: nothing in it is trusted.</param>
    /// <param name="cancellationToken">Cancelled when nobody waits for the answer any more.</param>
    public abstract Task<ToolResult> CallAsync(ToolCall call, CancellationToken cancellationToken);

    /// <summary>What agents other than ours get: the structured value when there is one, else the content.</summary>
    protected sealed override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        var result = await CallAsync(new ToolCall { Id = "", Name = Name, Input = ToolInput.From(arguments) }, cancellationToken).ConfigureAwait(false);
        return result.ForAnyAgent();
    }
}

/// <summary>One call of a tool.</summary>
public sealed record ToolCall
{
    /// <summary>The id its caller knows it by (<c>toolu_…</c> at Anthropic); empty when it has none.</summary>
    public required string Id { get; init; }

    /// <summary>The tool's name.</summary>
    public required string Name { get; init; }

    /// <summary>The arguments: a JSON object.</summary>
    public required JsonElement Input { get; init; }

    /// <summary>What the caller's logs and traces know this by; null when there is none.</summary>
    public string? CorrelationId { get; init; }

    /// <summary>Told what the tool's program writes as it comes, before the result; null when nobody listens. It is called from one thread at a time and must not block.</summary>
    public Action<ToolOutput>? Output { get; init; }

    /// <summary>Told of each call of a host's tool that the tool's program makes, once it is over; null when nobody listens. Possibly from several threads at once; it must not block.</summary>
    public Action<HostCalls.HostCallRecord>? HostCalled { get; init; }
}

/// <summary>A piece of a program's output, as it was written: raw, with whatever control characters a hostile program put in.</summary>
/// <param name="Stream">Where it was written.</param>
/// <param name="Text">The text.</param>
public sealed record ToolOutput(OutputStream Stream, string Text);
