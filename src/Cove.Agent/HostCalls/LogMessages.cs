using Microsoft.Extensions.Logging;

namespace Cove.Agent.HostCalls;

/// <summary>What is logged of tool calls. No arguments and no results: they are the caller's data.</summary>
internal static partial class LogMessages
{
    [LoggerMessage(4400, LogLevel.Information, "The tool {Tool} was called ({CallId} of run {Run}): {Outcome} after {Milliseconds:0.0} ms.")]
    public static partial void ToolCalled(this ILogger logger, string tool, string callId, RunId run, string outcome, double milliseconds);

    [LoggerMessage(4401, LogLevel.Warning, "The tool {Tool} failed ({CallId} of run {Run}).")]
    public static partial void ToolFailed(this ILogger logger, Exception failure, string tool, string callId, RunId run);

    [LoggerMessage(4402, LogLevel.Warning, "The approval of the tool {Tool} was not given ({CallId} of run {Run}): {Why}.")]
    public static partial void NotApproved(this ILogger logger, string tool, string callId, RunId run, string why);

    [LoggerMessage(4404, LogLevel.Error, "The audit of tool calls failed for {Tool} ({CallId} of run {Run}).")]
    public static partial void AuditFailed(this ILogger logger, Exception failure, string tool, string callId, RunId run);

    [LoggerMessage(4403, LogLevel.Debug, "The answer of the tool {Tool} was not taken ({CallId} of run {Run}): {Why}.")]
    public static partial void AnswerNotTaken(this ILogger logger, string tool, string callId, RunId run, string why);
}
