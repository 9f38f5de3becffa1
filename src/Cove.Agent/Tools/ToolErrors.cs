namespace Cove.Agent.Tools;

/// <summary>The errors of Cove in the words of a tool's result. Pure.</summary>
internal static class ToolErrors
{
    /// <summary>Of whatever a call threw. Its words are ours or the engine's; those of an unknown failure are not shown to a model.</summary>
    public static ToolError Of(Exception failure) => failure is CoveException cove ? Of(cove.Error) : new ToolError
    {
        ErrorCategory = ToolErrorCategory.Unavailable,
        IsRetryable = false,
        Context = $"The tool failed ({failure.GetType().Name}).",
        Remediation = "Go on without it, or tell the user that it does not work.",
    };

    /// <summary>Of a call that was refused or could not be done.</summary>
    public static ToolError Of(RunError error) => new()
    {
        ErrorCategory = error switch
        {
            { Code: "not_permitted" or "outside_roots" } => ToolErrorCategory.Permission,
            { Code: "language_unavailable" } => ToolErrorCategory.Unavailable,
            { Category: ErrorCategory.NotFound } => ToolErrorCategory.NotFound,
            { Category: ErrorCategory.Request or ErrorCategory.Code } => ToolErrorCategory.Input,
            { Category: ErrorCategory.Limit } => ToolErrorCategory.Budget,
            { Category: ErrorCategory.Caller } => ToolErrorCategory.Interrupted,
            _ => ToolErrorCategory.Unavailable,
        },
        IsRetryable = error.Retryable || error is { Category: ErrorCategory.Request, Code: not "language_unavailable" } or { Category: ErrorCategory.Conflict } || error is { Category: ErrorCategory.NotFound, Code: "not_found" },
        Context = Excerpts.Short(error.Message, 2000),
        Remediation = Excerpts.Short(error.Remediation, 2000),
    };
}
