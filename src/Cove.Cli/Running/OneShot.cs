namespace Cove.Cli.Running;

/// <summary>What an end means when the sandbox goes with the run: nothing is kept, and there is no next run in it.</summary>
internal static class OneShot
{
    /// <summary>Whether a notice still says something.</summary>
    public static bool Concerns(RunNotice notice) => notice.Code != "state_lost";

    /// <summary>The error without what it says of state and of the next run.</summary>
    public static RunError Of(RunError error)
    {
        var message = error.Message
            .Replace("; its variables are gone", "", StringComparison.Ordinal)
            .Replace("; the kernel's variables are kept", "", StringComparison.Ordinal);
        return error with
        {
            Message = message,
            Remediation = error.Code switch
            {
                "kernel_died" => "Look for a crash in native code, or code that ends its own process.",
                "interrupted" or "killed" when error.Category is ErrorCategory.Caller => "",
                "sandbox_ended" => "Run it again when it is wanted.",
                "process_lost" => "Run it again; this was not the code's doing.",
                "guest_protocol_violation" => "Code must not touch the interpreter's own descriptors and channels.",
                _ => error.Remediation,
            },
        };
    }
}
