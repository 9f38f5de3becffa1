using System.Text.Json;
using Cove.Wire;
using Microsoft.AspNetCore.Http;

namespace Cove.Server.Hosting;

/// <summary>Errors as RFC 9457 answers, and the errors that arise at the door rather than in the engine.</summary>
internal static class Problems
{
    /// <summary>The status says whose turn it is; the body says what to do.</summary>
    public static int StatusOf(RunError error) => error.Category switch
    {
        ErrorCategory.Request when error.Code == "range_not_satisfiable" => StatusCodes.Status416RangeNotSatisfiable,
        ErrorCategory.Request => StatusCodes.Status400BadRequest,
        ErrorCategory.Caller => StatusCodes.Status400BadRequest,
        ErrorCategory.NotFound => StatusCodes.Status404NotFound,
        ErrorCategory.Conflict => StatusCodes.Status409Conflict,
        ErrorCategory.Code or ErrorCategory.Limit => StatusCodes.Status422UnprocessableEntity,
        _ => error.Retryable ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status500InternalServerError,
    };

    public static Task WriteAsync(HttpContext context, RunError error) => WriteAsync(context, error, StatusOf(error));

    public static async Task WriteAsync(HttpContext context, RunError error, int status)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = Problem.MediaType;
        var body = JsonSerializer.SerializeToUtf8Bytes(Problem.From(error, status), CoveJson.Wire.Problem);
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, CancellationToken.None);
    }

    public static RunError Request(string code, string message, string remediation) => new()
    {
        Code = code,
        Category = ErrorCategory.Request,
        Retryable = false,
        Message = message,
        Remediation = remediation,
    };

    public static CoveException Bad(string code, string message, string remediation) => new(Request(code, message, remediation));

    public static RunError Internal() => new()
    {
        Code = "internal_error",
        Category = ErrorCategory.Infrastructure,
        Retryable = false,
        Message = "Cove failed while answering; nothing about it is your request's fault.",
        Remediation = "The log says what happened; please report it.",
    };

    public static RunError OtherBuild(string engine, string client) => new()
    {
        Code = "other_build",
        Category = ErrorCategory.Conflict,
        Retryable = false,
        Message = $"This engine is build {engine}, the client is build {client}.",
        Remediation = "Start an engine of the client's build (cove engine stop, then the command again).",
    };

    public static RunError Stopping() => new()
    {
        Code = "engine_stopping",
        Category = ErrorCategory.Infrastructure,
        Retryable = true,
        Message = "This engine is stopping and takes no new sandbox.",
        Remediation = "Try again; a new engine is started.",
    };
}
