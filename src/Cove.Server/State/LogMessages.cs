using Microsoft.Extensions.Logging;

namespace Cove.Server.State;

/// <summary>What the state says in the log; ids 260 to 269.</summary>
internal static partial class LogMessages
{
    [LoggerMessage(260, LogLevel.Error, "{Rows} rows were not written at once; each is tried alone")]
    public static partial void WriteFailed(this ILogger log, Exception failure, int rows);

    [LoggerMessage(261, LogLevel.Error, "rows lost since the start: {Rows}")]
    public static partial void RowsLost(this ILogger log, long rows);

    [LoggerMessage(262, LogLevel.Warning, "{Count} sandboxes were alive when the last server of this data directory died; they are marked as ended (engine_lost)")]
    public static partial void SandboxesLost(this ILogger log, int count);

    [LoggerMessage(263, LogLevel.Error, "old rows could not be removed; that is tried again in an hour")]
    public static partial void PurgeFailed(this ILogger log, Exception failure);

    [LoggerMessage(264, LogLevel.Error, "rows on their way into the database can't be written to the data directory ({Spool}); until that is over, a kill of this process loses audit rows of the last moments, and new sandboxes wait for the database")]
    public static partial void RowsNotSpooled(this ILogger log, Exception failure, string spool);

    [LoggerMessage(265, LogLevel.Information, "rows of the last server of this data directory that had not reached the database: {Audit} of audit, {Sandboxes} of sandboxes")]
    public static partial void RowsBroughtIn(this ILogger log, int audit, int sandboxes);

    [LoggerMessage(266, LogLevel.Error, "what the last server of this data directory left ({Spool}) could not be brought into the database, and is lost")]
    public static partial void SpoolLost(this ILogger log, Exception failure, string spool);
}
