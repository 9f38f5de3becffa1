namespace Cove.Server.State;

/// <summary>What can be wrong with the server's state, and what to do about it.</summary>
internal static class StateErrors
{
    public static CoveException InvalidOption(string option, string value, string range) => new(Error(
        "invalid_option", ErrorCategory.Request, retryable: false, $"The option '{option}' is '{value}', which is not acceptable.", $"Set it to {range}."));

    public static CoveException Unusable(string place, Exception cause) => new(
        Error("state_unusable", ErrorCategory.Infrastructure, retryable: false, $"The state at {place} can't be used: {cause.Message}", "Check that it exists, is yours and has room (--data, COVE_DATA), or correct COVE_DATABASE (--database of the other commands)."),
        cause);

    public static CoveException InUse(string place, Exception cause) => new(
        Error("state_in_use", ErrorCategory.Conflict, retryable: false, $"Another server uses the data directory {place}.", "Stop it, or give this one a directory of its own (--data)."),
        cause);

    public static CoveException NotPrivate(string place, string reason) => new(Error(
        "state_not_private", ErrorCategory.Infrastructure, retryable: false, $"{place} can't hold the server's state: {reason}.", $"Look at what is there; then: chmod 700 {place}"));

    public static CoveException LibraryMissing(Exception? cause = null) => new(
        Error("sqlite_missing", ErrorCategory.Infrastructure, retryable: false, "The SQLite library (libsqlite3.so.0) is not installed.", "Install it: sudo apt-get install libsqlite3-0; or use PostgreSQL: --database 'Host=…'."),
        cause);

    public static CoveException Newer(string place, long found, long known) => new(Error(
        "state_newer", ErrorCategory.Infrastructure, retryable: false, $"The database {place} has schema version {found}; this build knows versions up to {known}.", "Use the newer build that wrote it, or another data directory (--data)."));

    public static CoveException Unavailable(Exception cause) => new(
        Error("state_unavailable", ErrorCategory.Infrastructure, retryable: true, "The database does not answer; nothing was done.", "Try again; the server's log says what the database said."),
        cause);

    public static CoveException NoDatabase(string directory) => new(Error(
        "state_missing", ErrorCategory.NotFound, retryable: false, $"There is no server's database in {directory}.", "Name the server's data directory (--data or COVE_DATA) or its database (--database or COVE_DATABASE); 'cove serve' and 'cove keys create' make one."));

    private static RunError Error(string code, ErrorCategory category, bool retryable, string message, string remediation) => new()
    {
        Code = code,
        Category = category,
        Retryable = retryable,
        Message = message,
        Remediation = remediation,
    };
}
