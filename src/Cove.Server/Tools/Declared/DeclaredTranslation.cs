using Cove.Agent.HttpTools.Answers;
using Cove.Agent.Tools;
using Microsoft.AspNetCore.Http;

namespace Cove.Server.Tools.Declared;

/// <summary>Between what a declared tool came to and HTTP. Pure.</summary>
internal static class DeclaredTranslation
{
    public static ToolRefusal Refusal(HttpToolAnswer answer)
    {
        var error = answer.Error ?? throw new InvalidOperationException("A success is no refusal.");
        return Refusal(StatusOf(answer), answer.Code, error.ErrorCategory, error.IsRetryable, error.Context, error.Remediation) with { UpstreamStatus = answer.Status == 0 ? null : answer.Status };
    }

    /// <summary>What this server itself refuses, on a tool's route: without a key, beyond a quota, because it is busy.</summary>
    public static ToolRefusal Refusal(RunError error, int status) => Refusal(status, error.Code, CategoryOf(status), error.Retryable, error.Message, error.Remediation) with { Category = error.Category, Evidence = error.Evidence };

    public static ToolRefusal Refusal(int status, string code, ToolErrorCategory category, bool retryable, string message, string remediation) => new()
    {
        Error = message,
        Type = "urn:cove:error:" + code,
        Title = code.Replace('_', ' '),
        Status = status,
        Detail = message,
        Code = code,
        Category = category switch
        {
            ToolErrorCategory.Input => ErrorCategory.Request,
            ToolErrorCategory.NotFound => ErrorCategory.NotFound,
            ToolErrorCategory.RateLimited or ToolErrorCategory.OutputLimit => ErrorCategory.Limit,
            _ => ErrorCategory.Infrastructure,
        },
        ErrorCategory = category,
        Retryable = retryable,
        Remediation = remediation,
    };

    private static ToolErrorCategory CategoryOf(int status) => status switch
    {
        StatusCodes.Status401Unauthorized or StatusCodes.Status403Forbidden => ToolErrorCategory.Permission,
        StatusCodes.Status404NotFound => ToolErrorCategory.NotFound,
        StatusCodes.Status429TooManyRequests => ToolErrorCategory.RateLimited,
        < 500 => ToolErrorCategory.Input,
        _ => ToolErrorCategory.Unavailable,
    };

    /// <summary>Whose turn it is: the caller's (400, 404), anybody's later (429, 503, 504), or whoever runs the other side or this server (502).</summary>
    private static int StatusOf(HttpToolAnswer answer) => answer.Error!.ErrorCategory switch
    {
        ToolErrorCategory.Input => StatusCodes.Status400BadRequest,
        ToolErrorCategory.NotFound => StatusCodes.Status404NotFound,
        ToolErrorCategory.RateLimited => StatusCodes.Status429TooManyRequests,
        ToolErrorCategory.Timeout => StatusCodes.Status504GatewayTimeout,
        ToolErrorCategory.Unavailable when answer.Code is "tool_circuit_open" => StatusCodes.Status503ServiceUnavailable,
        _ => StatusCodes.Status502BadGateway,
    };
}
