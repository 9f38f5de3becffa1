using System.Text.Json;
using Cove.Tools;

namespace Cove.Agent.Tools;

/// <summary>A tool whose name, description and schema are a <see cref="ToolDefinition"/>, the one source of every form it is told in.</summary>
public abstract class DefinedTool : AgentTool
{
    private protected DefinedTool(ToolDefinition definition)
    {
        Definition = definition;
        JsonSchema = JsonElement.Parse(definition.InputSchema().ToJsonString());
    }

    /// <summary>What the model is told.</summary>
    public ToolDefinition Definition { get; }

    /// <inheritdoc/>
    public sealed override string Name => Definition.Name;

    /// <inheritdoc/>
    public sealed override string Description => Definition.Description;

    /// <inheritdoc/>
    public sealed override JsonElement JsonSchema { get; }

    /// <summary>Reads the input, calls, and makes a result of whatever is thrown: a tool fails in its result.</summary>
    public sealed override async Task<ToolResult> CallAsync(ToolCall call, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(call);
        try
        {
            return await AnswerAsync(call, new ToolArguments(call.Input), cancellationToken);
        }
        catch (ToolInputException wrong)
        {
            return InputRefused(new ToolError { ErrorCategory = ToolErrorCategory.Input, IsRetryable = true, Context = wrong.Message, Remediation = wrong.Remediation });
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception failure)
        {
            return Failed(failure);
        }
    }

    private protected abstract Task<ToolResult> AnswerAsync(ToolCall call, ToolArguments input, CancellationToken cancellationToken);

    private protected virtual ToolResult InputRefused(ToolError error) => ToolResult.Failed(error);

    private protected virtual ToolResult Failed(Exception failure) => ToolResult.Failed(ToolErrors.Of(failure));
}
