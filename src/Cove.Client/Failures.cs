using System.Text.Json;
using Cove.Wire;

namespace Cove.Client;

/// <summary>What can go wrong between the client and the other end, as errors that say what to do.</summary>
internal static class Failures
{
    public static CoveException Unreachable(string address, Exception cause) => new(new RunError
    {
        Code = "engine_unreachable",
        Category = ErrorCategory.Infrastructure,
        Retryable = true,
        Message = $"Cove does not answer at {address} ({Innermost(cause)}).",
        Remediation = address.StartsWith("http", StringComparison.Ordinal) ? "Check the address and that the server runs, and try again." : "Check that it is running (cove engine status) and try again.",
    }, cause);

    public static CoveException BadAddress(string variable, string value) => new(new RunError
    {
        Code = "invalid_address",
        Category = ErrorCategory.Request,
        Retryable = false,
        Message = $"{variable} is '{value}', which is no server's address.",
        Remediation = "Set it to http://HOST:PORT or https://HOST.",
    });

    public static CoveException BadAnswer(string address, Exception cause) => new(new RunError
    {
        Code = "bad_answer",
        Category = ErrorCategory.Infrastructure,
        Retryable = false,
        Message = $"What {address} answered is not Cove's protocol ({cause.Message}).",
        Remediation = "Check that client and engine are the same version (cove version, cove engine status).",
    }, cause);

    public static RunError Foreign(string address, uint user) => new()
    {
        Code = "foreign_engine",
        Category = ErrorCategory.Infrastructure,
        Retryable = false,
        Message = $"The process behind {address} belongs to user id {user}, not to you.",
        Remediation = $"Nothing was sent to it. Remove {address} and try again.",
    };

    public static RunError Dropped(string address, string reason) => new()
    {
        Code = "connection_lost",
        Category = ErrorCategory.Infrastructure,
        Retryable = false,
        Message = $"The connection to {address} ended before the run did ({reason}).",
        Remediation = "Whether the code ran to its end is not known; look at what it changed before running it again.",
    };

    public static RunError NotResumed(string address, RunId run, TimeSpan limit, string reason) => new()
    {
        Code = "connection_lost",
        Category = ErrorCategory.Infrastructure,
        Retryable = false,
        Message = $"The connection to {address} ended before the run did, and for {limit.TotalSeconds:0} s it could not be taken up again ({reason}).",
        Remediation = $"The run goes on without you: read the events of run {run} when the server answers again, or interrupt it.",
    };

    /// <summary>Whether another try may find the other end in a better state.</summary>
    public static bool MayPass(Exception failure) => failure switch
    {
        CoveException { Error: { Code: "engine_unreachable" or "http_502" or "http_503" or "http_504" } } => true,
        CoveException { Error: { Category: ErrorCategory.Infrastructure, Retryable: true } } => true,
        CoveException => false,
        _ => failure is IOException or HttpRequestException,
    };

    /// <summary>Whether a request that got no answer may have reached the other end all the same.</summary>
    public static bool MayHaveArrived(Exception failure) => failure switch
    {
        CoveException { Error.Code: "engine_unreachable" } => failure.InnerException is not HttpRequestException
        {
            HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError or HttpRequestError.SecureConnectionError,
        },
        CoveException => false,
        _ => true,
    };

    public static RunError InterruptedBeforeStart() => new()
    {
        Code = "interrupted",
        Category = ErrorCategory.Caller,
        Retryable = true,
        Message = "The run was interrupted before it was sent.",
        Remediation = "Run it again when it is wanted.",
    };

    public static CoveException OutOfRange(string field, object value, string range) => new(new RunError
    {
        Code = "invalid_request",
        Category = ErrorCategory.Request,
        Retryable = false,
        Message = $"The field '{field}' is {value}, which is not acceptable.",
        Remediation = $"Give {range}.",
    });

    public static CoveException TerminalEnded(Exception cause) => new(new RunError
    {
        Code = "terminal_ended",
        Category = ErrorCategory.Conflict,
        Retryable = false,
        Message = "The terminal has ended, so nothing can be typed into it.",
        Remediation = "Open a new one.",
    }, cause);

    /// <summary>Turns an answer that is no success into the error it carries.</summary>
    public static async Task<CoveException> ReadAsync(HttpResponseMessage response, string address, CancellationToken cancellationToken)
    {
        if (response.Content.Headers.ContentType?.MediaType == Problem.MediaType)
        {
            try
            {
                var text = await response.Content.ReadAsByteArrayAsync(cancellationToken);
                if (JsonSerializer.Deserialize(text, CoveJson.Wire.Problem) is { } problem)
                {
                    return new(problem.ToError()) { RetryAfter = Wait(response) };
                }
            }
            catch (Exception failure) when (failure is JsonException or HttpRequestException or IOException)
            {
                return BadAnswer(address, failure);
            }
        }

        var status = (int)response.StatusCode;
        return new(new RunError
        {
            Code = "http_" + status,
            Category = status >= 500 ? ErrorCategory.Infrastructure : ErrorCategory.Request,
            Retryable = status >= 500,
            Message = $"{address} answered with HTTP status {status}.",
            Remediation = "Check that client and engine are the same version (cove version, cove engine status).",
        })
        { RetryAfter = Wait(response) };
    }

    /// <summary>Seconds, as Cove says it; a date, as a proxy might, is not looked at.</summary>
    private static TimeSpan? Wait(HttpResponseMessage response) => response.Headers.RetryAfter?.Delta;

    private static string Innermost(Exception failure)
    {
        while (failure.InnerException is { } inner)
        {
            failure = inner;
        }

        return failure.Message;
    }
}
