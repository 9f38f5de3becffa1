using System.Text.Json;
using Cove.Wire;
using Microsoft.AspNetCore.Http;

namespace Cove.Server.Hosting;

/// <summary>Errors as RFC 9457 answers, and the errors that arise at the door rather than in the engine.</summary>
internal static class Problems
{
    /// <summary>What a caller is asked to wait when it is not known better: long enough for a restart to get on.</summary>
    private const string RetrySeconds = "2";

    /// <summary>The status says whose turn it is; the body says what to do.</summary>
    public static int StatusOf(RunError error) => error.Category switch
    {
        ErrorCategory.Limit when error.Code is "quota_exceeded" or "too_many_failures" => StatusCodes.Status429TooManyRequests,
        ErrorCategory.Request when error.Code == "range_not_satisfiable" => StatusCodes.Status416RangeNotSatisfiable,
        ErrorCategory.Request when error.Code == "too_large_to_hold" => StatusCodes.Status413PayloadTooLarge,
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
        context.Features.Set(new ToldProblem(error.Code));
        context.Response.StatusCode = status;
        context.Response.ContentType = Problem.MediaType;
        if (status == StatusCodes.Status503ServiceUnavailable && error.Retryable)
        {
            context.Response.Headers.TryAdd("Retry-After", RetrySeconds);
        }

        var body = context.GetEndpoint()?.Metadata.GetMetadata<Operation>()?.Refusal is { } form ? form(error, status) : JsonSerializer.SerializeToUtf8Bytes(Problem.From(error, status), CoveJson.Wire.Problem);
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

    public static RunError Draining() => new()
    {
        Code = "server_stopping",
        Category = ErrorCategory.Infrastructure,
        Retryable = true,
        Message = "This server is stopping and begins nothing new; what is in progress may end.",
        Remediation = "Try again after the seconds in Retry-After; a server that is restarted answers again.",
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

/// <summary>What a request turned out to do where its route can't say, for whoever keeps records. Set before it is known: what finds it out may outlive the request, whose context is then another's.</summary>
internal sealed class TurnedOut
{
    private volatile Tuple<string, bool>? _deed;
    private volatile Tuple<string, string?>? _refusal;

    /// <summary>Notes what is done, and whether it changes something.</summary>
    public void Note(string operation, bool changes) => _deed = Tuple.Create(operation, changes);

    /// <summary>Notes why nothing came of it, where the answer's status does not say so, and which limit was reached.</summary>
    public void Refuse(string code, string? limit) => _refusal = Tuple.Create(code, limit);

    /// <summary>What it was; else what the route says.</summary>
    public static (string Operation, bool Changes, string? Code, string? Limit) Of(HttpContext context, Operation route)
    {
        var did = context.Features.Get<TurnedOut>();
        var (deed, refusal) = (did?._deed, did?._refusal);
        return (deed?.Item1 ?? route.Id, deed?.Item2 ?? route.Needs.Change(), refusal?.Item1 ?? context.Features.Get<ToldProblem>()?.Code, refusal?.Item2);
    }
}

/// <summary>What a request was told is wrong with it, for whoever keeps records.</summary>
internal sealed record ToldProblem(string Code);
