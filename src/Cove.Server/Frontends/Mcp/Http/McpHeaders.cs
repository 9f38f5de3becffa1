namespace Cove.Server.Frontends.Mcp.Http;

/// <summary>The headers of the Streamable HTTP transport.</summary>
internal static class McpHeaders
{
    public const string Version = "MCP-Protocol-Version";
    public const string Session = "Mcp-Session-Id";
    public const string Method = "Mcp-Method";
    public const string Name = "Mcp-Name";
}
