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

    [LoggerMessage(264, LogLevel.Error, "audit rows can't be written to the data directory; until that is over, a kill of this process loses those of the last moments")]
    public static partial void AuditNotSpooled(this ILogger log, Exception failure);

    [LoggerMessage(265, LogLevel.Information, "audit rows of the last server of this data directory that had not reached the database: {Rows}")]
    public static partial void AuditBroughtIn(this ILogger log, int rows);

    [LoggerMessage(266, LogLevel.Error, "the audit rows that the last server of this data directory left could not be brought into the database, and are lost")]
    public static partial void AuditLost(this ILogger log, Exception failure);
}
