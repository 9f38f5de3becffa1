using Cove.Cli.Running;

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

    /// <summary>An exception as an error: what the host's files and descriptors refuse is told like everything else. Null when it is a fault of the command.</summary>
    public static CoveException? Known(Exception failure) => failure switch
    {
        CoveException known => known,
        IOException or UnauthorizedAccessException => Host("host_io", $"A file or stream of this machine failed: {failure.Message}", "Check that it exists, that you may use it, and that its disk has space.", failure),
        _ => null,
    };

    /// <summary>Prints an error the way every verb does and returns its exit code.</summary>
    public static int Print(CoveException failure)
    {
        // Not Console: a standard error that can't be written must not hide the exit code behind another exception.
        var screen = new Screen();
        foreach (var line in failure.Error.Message.Split('\n').Append(failure.Error.Remediation).Where(line => line.Length > 0))
        {
            screen.Notice(line);
        }

        screen.Flush();
        return ExitCodes.Of(failure.Error);
    }
}
