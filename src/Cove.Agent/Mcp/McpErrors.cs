namespace Cove.Agent.Mcp;

/// <summary>What can be wrong with servers that others wrote.</summary>
internal static class McpErrors
{
    public static CoveException File(string path, string message, Exception? cause) => new(Error("mcp_config", ErrorCategory.Request, $"The file of MCP servers {path} can't be used: {message}", "Write {\"mcpServers\": {\"NAME\": {\"command\": …, \"args\": […]} or {\"url\": …, \"headers\": {…}}}}."), cause);

    public static CoveException Variable(string where, string name) => new(Error("mcp_config", ErrorCategory.Request, $"{where} names the variable {name}, which is not set.", $"Set {name}, or leave the server out."));

    public static CoveException Unreachable(string server, Exception cause) => new(Error("mcp_server", ErrorCategory.Infrastructure, $"The MCP server '{server}' can't be used: {Said(cause)}", "See to it that it runs and answers, or leave it out."), cause);

    /// <summary>The outermost says that it failed, the innermost why.</summary>
    private static string Said(Exception cause) => cause.GetBaseException() is var root && root != cause && !cause.Message.Contains(root.Message, StringComparison.Ordinal)
        ? $"{cause.Message.TrimEnd('.')}: {root.Message}" : cause.Message;

    private static RunError Error(string code, ErrorCategory category, string message, string remediation) => new() { Code = code, Category = category, Retryable = false, Message = message, Remediation = remediation };
}
