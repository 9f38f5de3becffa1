using ModelContextProtocol;

namespace Cove.Server.Frontends.Mcp;

/// <summary>Errors of Cove as the protocol's own, where a request fails as a whole. Pure.</summary>
internal static class McpFailures
{
    /// <summary>The revision of 2026 tells what is not there as a wrong parameter; those before it had a code for that.</summary>
    public static McpErrorCode CodeOf(RunError error, string? version) => error.Category switch
    {
        ErrorCategory.NotFound => version == Http.McpVersions.Stateless ? McpErrorCode.InvalidParams : McpErrorCode.ResourceNotFound,
        _ when error.Code == "not_found" => version == Http.McpVersions.Stateless ? McpErrorCode.InvalidParams : McpErrorCode.ResourceNotFound,
        ErrorCategory.Infrastructure => McpErrorCode.InternalError,
        _ => McpErrorCode.InvalidParams,
    };
}
