namespace Cove;

/// <summary>A call that could not be done, with an error the caller can act on.</summary>
public sealed class CoveException : Exception
{
    /// <summary>Wraps an error.</summary>
    public CoveException(RunError error, Exception? innerException = null)
        : base(error.Message + " " + error.Remediation, innerException) => Error = error;

    /// <summary>What went wrong.</summary>
    public RunError Error { get; }

    /// <summary>How long a server asked to wait before the next try; null when it did not say.</summary>
    public TimeSpan? RetryAfter { get; init; }
}
