namespace Cove.Server.Access.Tenancy;

/// <summary>The errors of a sandbox that is not there, word for word those of the engine: whoever asks for another project's learns nothing.</summary>
internal static class Absence
{
    public static CoveException NotFound(SandboxId sandbox) => Error("sandbox_not_found", $"There is no sandbox '{sandbox}'.", "Check the id, or create a new sandbox.");

    public static CoveException Ended(SandboxId sandbox, SandboxEndReason? reason) => Error(
        "sandbox_ended",
        $"The sandbox '{sandbox}' has ended{(reason is { } r ? $" ({System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(r.ToString())})" : "")}.",
        "Create a new sandbox; longer idle_timeout_ms or max_lifetime_ms keep one for longer.");

    private static CoveException Error(string code, string message, string remediation) => new(new RunError
    {
        Code = code,
        Category = ErrorCategory.NotFound,
        Retryable = false,
        Message = message,
        Remediation = remediation,
    });
}
