using System.Globalization;
using System.Net;
using System.Text.Json;
using Cove.Agent.Loop;

namespace Cove.Agent.Models;

/// <summary>What went wrong with a model, named: whether to try again, and what a person can do.</summary>
internal static class ModelFailures
{
    private const int MessageLength = 1_000;

    public static ModelException Make(ModelFailureKind kind, string message, int? status = null, string? requestId = null, TimeSpan? retryAfter = null, Exception? cause = null) =>
        new(new ModelFailure(kind, message, Remedy(kind), status, requestId), cause) { RetryAfter = retryAfter };

    /// <summary>An exception of any client.</summary>
    public static ModelException Of(Exception failure) => failure switch
    {
        ModelException known => known,
        // Of another client we know no header; whether the limit passes is found out by asking again.
        HttpRequestException { StatusCode: HttpStatusCode.TooManyRequests } => Make(ModelFailureKind.RateLimited, Cut(failure.Message), 429, cause: failure),
        HttpRequestException { StatusCode: { } status } => OfStatus((int)status, Cut(failure.Message), cause: failure),
        HttpRequestException or IOException => Make(ModelFailureKind.Unavailable, $"The model can't be reached: {Cut(failure.Message)}", cause: failure),
        TimeoutException => Make(ModelFailureKind.Unavailable, "The model did not answer in time.", cause: failure),
        OperationCanceledException => Make(ModelFailureKind.Dropped, "The call of the model was cut off.", cause: failure),
        JsonException => Make(ModelFailureKind.Malformed, "The model's answer is no JSON.", cause: failure),
        _ when failure.InnerException is ModelException or HttpRequestException or IOException or TimeoutException => Of(failure.InnerException),
        _ => Make(ModelFailureKind.Unknown, $"The model's client failed: {failure.GetType().Name}: {Cut(failure.Message)}", cause: failure),
    };

    /// <summary>An answer that is an error.</summary>
    public static ModelException OfStatus(int status, string message, string? type = null, string? requestId = null, TimeSpan? retryAfter = null, Exception? cause = null)
    {
        var kind = OfType(type) ?? KindOf(status);
        if (kind is ModelFailureKind.RateLimited && retryAfter is null)
        {
            // A limit that passes says when. One that does not say is a spending limit: asking again only fails again.
            kind = ModelFailureKind.SpendLimit;
        }

        return Make(kind, $"The model's provider answered {status.ToString(CultureInfo.InvariantCulture)}: {Cut(message)}", status, requestId, retryAfter, cause);
    }

    /// <summary>The kind of an error type of the Messages API; null for one that is not known.</summary>
    public static ModelFailureKind? OfType(string? type) => type switch
    {
        "invalid_request_error" => ModelFailureKind.BadRequest,
        "authentication_error" => ModelFailureKind.Authentication,
        "billing_error" => ModelFailureKind.Billing,
        "permission_error" => ModelFailureKind.Permission,
        "not_found_error" => ModelFailureKind.NotFound,
        "request_too_large" => ModelFailureKind.TooLarge,
        "rate_limit_error" => ModelFailureKind.RateLimited,
        "api_error" or "timeout_error" => ModelFailureKind.Unavailable,
        "overloaded_error" => ModelFailureKind.Overloaded,
        _ => null,
    };

    private static ModelFailureKind KindOf(int status) => status switch
    {
        401 => ModelFailureKind.Authentication,
        402 => ModelFailureKind.Billing,
        403 => ModelFailureKind.Permission,
        404 => ModelFailureKind.NotFound,
        (int)HttpStatusCode.RequestTimeout => ModelFailureKind.Unavailable,
        413 => ModelFailureKind.TooLarge,
        429 => ModelFailureKind.RateLimited,
        529 => ModelFailureKind.Overloaded,
        >= 500 => ModelFailureKind.Unavailable,
        _ => ModelFailureKind.BadRequest,
    };

    private static string Remedy(ModelFailureKind kind) => kind switch
    {
        ModelFailureKind.RateLimited => "Wait, then ask again; or use a key with a higher rate limit.",
        ModelFailureKind.SpendLimit => "The provider did not say when to come back, which is how it tells a spending limit: raise it, or wait for the next period.",
        ModelFailureKind.Overloaded or ModelFailureKind.Unavailable or ModelFailureKind.Dropped => "Ask again later; check the provider's status and --base-url.",
        ModelFailureKind.Malformed => "Check that --base-url is a server of the Messages API.",
        ModelFailureKind.BadRequest => "The message says what is wrong with the request: often the model's name or --max-output-tokens.",
        ModelFailureKind.TooLarge => "Ask with less: smaller files in the question, fewer tools.",
        ModelFailureKind.Authentication => "Check the key in ANTHROPIC_API_KEY, ANTHROPIC_AUTH_TOKEN or the key file.",
        ModelFailureKind.Permission => "Use a key that may use this model.",
        ModelFailureKind.Billing => "Check the account's payment.",
        ModelFailureKind.NotFound => "Check --model, COVE_MODEL and --base-url.",
        _ => "Look at the client that was given to the loop.",
    };

    private static string Cut(string text) => text.Length <= MessageLength ? text : text[..MessageLength] + "…";
}
