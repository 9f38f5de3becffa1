using Cove.Server.Frontends.Mcp.Http;
using ModelContextProtocol;

namespace Cove.Server.Frontends.Mcp;

/// <summary>Errors of Cove as the protocol's own, where a request fails as a whole. Pure.</summary>
internal static class McpFailures
{
    private const int MostUri = 500;

    public static McpProtocolException Of(CoveException failure, string? uri, string? version)
    {
        var error = new McpProtocolException(failure.Message, failure, CodeOf(failure.Error, version));
        if (uri is not null)
        {
            error.Data["uri"] = uri.Length <= MostUri ? uri : uri[..MostUri];
        }

        return error;
    }

    /// <summary>The revision of 2026 tells what is not there as a wrong parameter; those before it had a code for that.</summary>
    private static McpErrorCode CodeOf(RunError error, string? version) => error.Category switch
    {
        ErrorCategory.NotFound => version == McpVersions.Stateless ? McpErrorCode.InvalidParams : McpErrorCode.ResourceNotFound,
        ErrorCategory.Infrastructure => McpErrorCode.InternalError,
        _ => McpErrorCode.InvalidParams,
    };
}
