using Microsoft.Extensions.Logging;

namespace Cove.Server.Access;

/// <summary>What access control says in the log; ids 270 to 279.</summary>
internal static partial class LogMessages
{
    [LoggerMessage(270, LogLevel.Error, "looking after the sandboxes failed; that is tried again in a second")]
    public static partial void SweepFailed(this ILogger log, Exception failure);

    [LoggerMessage(271, LogLevel.Warning, "a request from {Remote} had no valid key: {Reason}")]
    public static partial void KeyRefused(this ILogger log, string remote, string reason);

    [LoggerMessage(272, LogLevel.Error, "the route {Route} has no operation and is refused")]
    public static partial void RouteWithoutOperation(this ILogger log, string? route);

    [LoggerMessage(274, LogLevel.Warning, "{Count} open requests of the key {Key} were cut off: {Reason}")]
    public static partial void RequestsCutOff(this ILogger log, int count, string key, string reason);

    [LoggerMessage(273, LogLevel.Error, "the answer to an idempotent request could not be kept; a repetition will be told to wait")]
    public static partial void AnswerNotKept(this ILogger log, Exception failure);
}
