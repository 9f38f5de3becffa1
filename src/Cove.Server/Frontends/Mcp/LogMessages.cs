using Microsoft.Extensions.Logging;

namespace Cove.Server.Frontends.Mcp;

/// <summary>What this front-end tells the log.</summary>
internal static partial class LogMessages
{
    [LoggerMessage(4500, LogLevel.Error, "The tool {Tool} failed otherwise than it may.")]
    public static partial void ToolFailed(this ILogger log, Exception failure, string tool);
}
