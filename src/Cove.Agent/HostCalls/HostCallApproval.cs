using Cove.Agent.Loop;
using Cove.Agent.Tools;
using Microsoft.Extensions.AI;

namespace Cove.Agent.HostCalls;

/// <summary>Judges the calls that code makes by what judges those of the model: the same rules, the same person.</summary>
public static class HostCallApproval
{
    /// <summary>What a <see cref="ToolBridgeOptions.Approve"/> is set to, so that a model reaches nothing through its code that it may not call itself.</summary>
    /// <param name="tools">The tools of the bridge.</param>
    /// <param name="options">Their <see cref="AgentOptions.Rules"/>, <see cref="AgentOptions.AskAlways"/> and <see cref="AgentOptions.Approve"/> decide; calls may be asked about at once.</param>
    public static Func<HostCall, CancellationToken, ValueTask<HostCallDecision>> By(IEnumerable<AIFunction> tools, AgentOptions options)
    {
        ArgumentNullException.ThrowIfNull(tools);
        ArgumentNullException.ThrowIfNull(options);
        var known = tools.ToDictionary(tool => tool.Name, StringComparer.Ordinal);
        return (call, cancellationToken) => DecideAsync(known, options, call, cancellationToken);
    }

    private static async ValueTask<HostCallDecision> DecideAsync(Dictionary<string, AIFunction> known, AgentOptions options, HostCall call, CancellationToken cancellationToken)
    {
        if (!known.TryGetValue(call.Tool, out var function))
        {
            return HostCallDecision.Deny($"There is no tool '{call.Tool}'.");
        }

        var asked = new ToolCall { Id = call.CallId, Name = call.Tool, Input = call.Arguments, CorrelationId = call.CorrelationId };
        return await CallJudgement.RefusalAsync(asked, function, options, cancellationToken) is { } refusal
            ? HostCallDecision.Deny($"{refusal.Context} {refusal.Remediation}".Trim())
            : HostCallDecision.Allow;
    }
}
