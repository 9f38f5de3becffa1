namespace Cove.Cli;

/// <summary>Errors of the command itself, and how every error is shown.</summary>
internal static class Errors
{
    public static CoveException Usage(string code, string message, string remediation) => new(new RunError
    {
        Code = code,
        Category = ErrorCategory.Request,
        Retryable = false,
        Message = message,
        Remediation = remediation,
    });

    public static CoveException Host(string code, string message, string remediation, Exception? cause = null) => new(new RunError
    {
        Code = code,
        Category = ErrorCategory.Infrastructure,
        Retryable = false,
        Message = message,
        Remediation = remediation,
    }, cause);

    /// <summary>Prints an error the way every verb does and returns its exit code.</summary>
    public static int Print(CoveException failure)
    {
        Console.Error.WriteLine($"cove: {failure.Error.Message}");
        if (failure.Error.Remediation.Length > 0)
        {
            Console.Error.WriteLine($"cove: {failure.Error.Remediation}");
        }

        return ExitCodes.Of(failure.Error);
    }
}
