using Microsoft.AspNetCore.Http;

namespace Cove.Server.Access.Quotas;

/// <summary>
/// Tells the caller where its project is: <c>RateLimit-Limit</c>, <c>-Remaining</c> and <c>-Reset</c> (seconds) as in draft-ietf-httpapi-ratelimit-headers-07,
/// and <c>Retry-After</c> with a refusal. Written when the answer starts, whoever writes it.
/// </summary>
internal sealed class RateHeaders(RequestRate rate)
{
    /// <summary>Written once and used for every answer.</summary>
    public static Func<object, Task> Write { get; } = static state =>
    {
        var (response, headers) = ((HttpResponse, RateHeaders))state;
        headers.WriteTo(response);
        return Task.CompletedTask;
    };

    public RequestRate Rate => rate;

    public bool Refused => rate.RetryAfter is not null;

    /// <summary>Seconds after which a refusal by another quota may be over.</summary>
    public long? RetryAfter { get; set; }

    private void WriteTo(HttpResponse response)
    {
        response.Headers["RateLimit-Limit"] = rate.Limit.ToString();
        response.Headers["RateLimit-Remaining"] = rate.Remaining.ToString();
        response.Headers["RateLimit-Reset"] = rate.Reset.ToString();
        if (response.StatusCode == StatusCodes.Status429TooManyRequests && (RetryAfter ?? rate.RetryAfter) is { } seconds)
        {
            response.Headers.RetryAfter = seconds.ToString();
        }
    }
}
