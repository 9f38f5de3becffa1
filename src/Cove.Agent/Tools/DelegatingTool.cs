using System.Text.Json;

namespace Cove.Agent.Tools;

/// <summary>A tool before another: the same name, words and schema, with something done before or after a call.</summary>
public abstract class DelegatingTool : AgentTool
{
    /// <summary>Stands before a tool.</summary>
    private protected DelegatingTool(AgentTool inner)
    {
        ArgumentNullException.ThrowIfNull(inner);
        Inner = inner;
    }

    /// <summary>The tool behind this one.</summary>
    public AgentTool Inner { get; }

    /// <inheritdoc/>
    public sealed override string Name => Inner.Name;

    /// <inheritdoc/>
    public sealed override string Description => Inner.Description;

    /// <inheritdoc/>
    public sealed override JsonElement JsonSchema => Inner.JsonSchema;

    /// <inheritdoc/>
    public sealed override JsonElement? ReturnJsonSchema => Inner.ReturnJsonSchema;
}
