using System.Globalization;
using System.Text.RegularExpressions;

namespace Cove.Agent.Tools.Sandbox;

/// <summary>
/// Why a run failed, for a model: what it can mend in its code, and what no code mends. The outcome is the engine's; what the guest says of itself
/// (an exception's name and words) only chooses the words. Pure.
/// </summary>
internal static partial class RunErrors
{
    /// <summary>As the seed of this contract has it.</summary>
    public static string TimeoutText(TimeSpan timeout) => string.Create(CultureInfo.InvariantCulture, $"Execution timed out after {timeout.TotalSeconds:0.###}s");

    /// <summary>The error of a run that did not end well; null when it did.</summary>
    public static ToolError? Of(RunResult result, TimeSpan timeout) => result switch
    {
        { Outcome: RunOutcome.Ok } or { Error: null } => null,
        { Outcome: RunOutcome.TimedOut } => Error(
            ToolErrorCategory.Timeout, true, string.Create(CultureInfo.InvariantCulture, $"Execution exceeded {timeout.TotalSeconds:0.###}s limit. {result.Error.Message}"), result),
        { Outcome: RunOutcome.OutOfMemory } => Error(ToolErrorCategory.Memory, false, result.Error.Message, result),
        { Outcome: RunOutcome.OutputLimit } => Error(ToolErrorCategory.OutputLimit, true, result.Error.Message, result),
        { Outcome: RunOutcome.Interrupted } => Error(ToolErrorCategory.Interrupted, result.Error.Retryable, result.Error.Message, result),
        { Outcome: RunOutcome.Killed } => Error(ToolErrorCategory.Interrupted, IsMended(result.Error), result.Error.Message, result),
        { Outcome: RunOutcome.Refused } => ToolErrors.Of(result.Error),
        { Outcome: RunOutcome.InfrastructureFailure } => Error(ToolErrorCategory.Unavailable, result.Error.Retryable, result.Error.Message, result),
        _ => OfGuest(result),
    };

    /// <summary>The kernel comes back by itself; a sandbox does not.</summary>
    private static bool IsMended(RunError error) => error.Retryable || error.Code is "kernel_died" or "killed" or "guest_protocol_violation";

    private static ToolError OfGuest(RunResult result)
    {
        var error = result.Error!;
        var type = error.Evidence?.ExceptionType;
        var said = error.Evidence?.ExceptionMessage ?? "";
        var context = Excerpts.Short(error.Message, 1000) + Place(error.Evidence?.Traceback);
        if (error.Category == ErrorCategory.Limit)
        {
            return Error(ToolErrorCategory.Exception, true, context, result); // disk, open files, processes: the code can free them
        }

        if (NoNetwork().IsMatch(said))
        {
            return Error(ToolErrorCategory.Permission, false, context, result, "The sandbox has no network. Do without it, with what is in the sandbox.");
        }

        return type switch
        {
            "SyntaxError" or "IndentationError" or "TabError" => Error(ToolErrorCategory.Syntax, true, context, result),
            "NameError" or "UnboundLocalError" or "AttributeError" => Error(
                ToolErrorCategory.Name, true, context, result, "Define or import the name, or use one that is there; the traceback names the line."),
            "ImportError" => Error(ToolErrorCategory.Name, true, context, result, "Import a name that the module has; dir(module) lists them."),
            "TypeError" => Error(ToolErrorCategory.Type, true, context, result, "Convert the value, or call it as its signature says; the traceback names the line."),
            "ModuleNotFoundError" => Error(ToolErrorCategory.MissingModule, true, context, result),
            "PermissionError" or "OSError" when type == "PermissionError" || said.StartsWith("[Errno 30]", StringComparison.Ordinal) => Error(
                ToolErrorCategory.Permission, false, context, result, "The sandbox forbids this, and other code does not change it. Files can be written in /workspace, /tmp and /home/user."),
            _ => Error(ToolErrorCategory.Exception, true, context, result),
        };
    }

    private static ToolError Error(ToolErrorCategory category, bool retryable, string context, RunResult result, string? remediation = null) => new()
    {
        ErrorCategory = category,
        IsRetryable = retryable,
        Context = context + (result.StateLost ? " The variables of earlier calls are gone." : ""),
        Remediation = Excerpts.Short(remediation ?? result.Error!.Remediation, 2000),
    };

    /// <summary>The line of the cell that the traceback ends in.</summary>
    private static string Place(string? traceback)
    {
        if (traceback is null || Lines().Matches(traceback) is not { Count: > 0 } lines)
        {
            return "";
        }

        var last = lines[^1];
        var source = last.Groups["source"].Value.Trim();
        return $" (line {last.Groups["line"].Value}{(source.Length == 0 ? "" : ": " + Excerpts.OneLine(source, 200))})";
    }

    [GeneratedRegex("File \"<cell [0-9]{1,9}>\", line (?<line>[0-9]{1,9})[^\n]{0,300}(\n +(?<source>[^\n]{0,300}))?", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Lines();

    [GeneratedRegex("Network is unreachable|name resolution|Name or service not known|nodename nor servname", RegexOptions.None, 1000)]
    private static partial Regex NoNetwork();
}
