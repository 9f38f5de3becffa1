using Cove.Agent.Permissions;
using Cove.Agent.Tools;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Loop;

/// <summary>Whether a call is done: the rules judge it, and where they, the tool or the options want it, somebody is asked. What fails here allows nothing.</summary>
internal static class CallJudgement
{
    /// <summary>Why a call is not done; null when it is.</summary>
    public static async Task<ToolError?> RefusalAsync(ToolCall call, AIFunction function, AgentOptions options, CancellationToken cancellationToken)
    {
        try
        {
            var decision = options.Rules?.Decide(function, call.Input);
            if (decision is { Permission: Permission.Deny })
            {
                return Refused(decision.Reason, "Do without this call; the rules do not change while you work.");
            }

            if (!options.AskAlways && decision is not { Permission: Permission.Ask } && function.GetService<ApprovalRequiredAIFunction>() is null)
            {
                return null;
            }

            var approval = options.Approve is { } ask
                ? await ask(call, cancellationToken)
                : Approval.No("This call needs an approval, and nobody is there who could give it.");
            return approval.Granted ? null : Refused(approval.Reason, "Do without this call, or say why it is needed.");
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return new ToolError { ErrorCategory = ToolErrorCategory.Interrupted, IsRetryable = false, Context = "It was interrupted before it began.", Remediation = "" };
        }
        catch (Exception failure)
        {
            return Refused($"Whether this call is allowed could not be found out ({failure.GetType().Name}).", "Do without this call.");
        }
    }

    private static ToolError Refused(string context, string remediation) =>
        new() { ErrorCategory = ToolErrorCategory.Policy, IsRetryable = false, Context = context, Remediation = remediation };
}
