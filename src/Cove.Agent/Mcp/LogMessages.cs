using Microsoft.Extensions.Logging;

namespace Cove.Agent.Mcp;

/// <summary>What this room tells the log.</summary>
internal static partial class LogMessages
{
    [LoggerMessage(4510, LogLevel.Information, "The MCP server {Server} says: {Line}")]
    public static partial void ServerSaid(this ILogger log, string server, string line);
}
