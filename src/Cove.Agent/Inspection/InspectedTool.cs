using System.Text.Json;
using Cove.Agent.Tools;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Inspection;

/// <summary>What becomes of code in which something was found.</summary>
public enum InspectionAction
{
    /// <summary>It runs, and the result says what was found.</summary>
    Advise,

    /// <summary>It does not run.</summary>
    Refuse,
}

/// <summary>
/// A tool whose code is looked at before it runs: <c>run_python</c> and <c>bash</c>, or any other with a field <c>code</c> or <c>command</c>. Advice for people
/// and models, and no boundary: see <see cref="CodeInspector"/>.
/// </summary>
public sealed class InspectedTool : DelegatingTool
{
    private readonly Language _language;
    private readonly Func<CodeFinding, InspectionAction?> _judge;

    /// <summary>Stands before a tool.</summary>
    /// <param name="inner">The tool.</param>
    /// <param name="language">What its code is written in.</param>
    /// <param name="judge">What to do about a finding; null: nothing. Default: each is advised of.</param>
    public InspectedTool(AgentTool inner, Language language, Func<CodeFinding, InspectionAction?>? judge = null)
        : base(inner) => (_language, _judge) = (language, judge ?? (static _ => InspectionAction.Advise));

    /// <inheritdoc/>
    public override async Task<ToolResult> CallAsync(ToolCall call, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(call);
        var judged = CodeInspector.Inspect(Code(call.Input), _language).Select(found => (Found: found, Action: _judge(found))).Where(j => j.Action is not null).ToArray();
        var refused = judged.Where(j => j.Action == InspectionAction.Refuse).Select(j => j.Found).ToArray();
        if (refused.Length > 0)
        {
            return ToolResult.Failed(new ToolError
            {
                ErrorCategory = ToolErrorCategory.Policy,
                IsRetryable = true,
                Context = "Nothing was run. An inspection refuses: " + Told(refused),
                Remediation = "Do it without that, or tell the user that it is needed.",
            });
        }

        var result = await Inner.CallAsync(call, cancellationToken);
        return judged.Length == 0 ? result
            : result with { Content = [.. result.Content, new TextContent("[inspection: " + Told([.. judged.Select(j => j.Found)]) + "]")] };
    }

    private static string Told(CodeFinding[] findings) =>
        string.Join("; ", findings.Take(10).Select(f => $"line {f.Line}: {f.Concern.ToString().ToLowerInvariant()} ({f.Evidence})")) + (findings.Length > 10 ? $"; and {findings.Length - 10} more" : "");

    private static string Code(JsonElement input)
    {
        try
        {
            return input.ValueKind == JsonValueKind.Object && (input.TryGetProperty("code", out var code) || input.TryGetProperty("command", out code)) && code.ValueKind == JsonValueKind.String
                ? code.GetString()!
                : "";
        }
        catch (InvalidOperationException)
        {
            return ""; // half of a surrogate pair; the tool refuses it
        }
    }
}
