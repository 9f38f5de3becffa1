using System.Security.Cryptography;
using System.Text;
using Cove.Server.Bounds;
using Cove.Server.Hosting;
using Cove.Server.State;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Cove.Server.Access.Idempotency;

/// <summary>
/// Lets a request that carries an <c>Idempotency-Key</c> happen once: its final answer is kept before the caller hears it, and given again to
/// the same request for 24 hours, also after a restart. While it is being made, a second one is told to wait.
/// </summary>
internal sealed class IdempotentAnswers(StateStore state, KeptAnswers kept, ILogger log)
{
    public const int MaximumBodyBytes = 1 << 20;
    private static readonly TimeSpan _life = TimeSpan.FromHours(24);

    public Task InvokeAsync(HttpContext context, Operation operation, string project, RequestDelegate next) =>
        IdempotencyKey.Of(context.Request, operation) is { } key ? OnceAsync(context, project, key, next) : next(context);

    private async Task OnceAsync(HttpContext context, string project, string key, RequestDelegate next)
    {
        var request = context.Request;
        await using var counted = BoundedBody.Of(context);
        using var body = await ReadAsync(counted, context.RequestAborted);
        var name = new RequestName(project, $"{request.Method} {request.Path}", key);
        var hash = Hash(request, body);
        var now = state.Time.GetUtcNow();
        if (await state.Idempotency.ClaimAsync(name, hash, state.Node, now, now - _life) is { } known)
        {
            await RepeatAsync(context, known, hash);
            return;
        }

        var original = request.Body;
        request.Body = body;
        using var hangUp = HangUp.Of(context);
        try
        {
            await MakeAsync(context, name, hangUp, next);
        }
        finally
        {
            hangUp.Restore(context);
            request.Body = original;
        }
    }

    private async Task MakeAsync(HttpContext context, RequestName name, HangUp hangUp, RequestDelegate next)
    {
        var outer = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        await using var held = new HeldBody(context.Response, outer.Stream, () =>
        {
            hangUp.Heed();
            return StreamAsync(name);
        });
        context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(held, outer));
        var settled = false;
        try
        {
            await RunAsync(context, next);
            await context.Response.BodyWriter.FlushAsync(CancellationToken.None);
            settled = held.Passed || await TryKeepAsync(context.Response, name, held);
        }
        finally
        {
            context.Features.Set(outer);
            if (!settled && !held.Passed)
            {
                await state.Idempotency.ReleaseAsync(name);
            }
        }

        if (!held.Passed)
        {
            await HeldAnswer.WriteAsync(context, held.Held, hangUp.Token);
        }
    }

    /// <summary>Errors that are final become answers here, so that they can be kept; the others go their usual way.</summary>
    private static async Task RunAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (CoveException failure) when (!context.Response.HasStarted && IsFinal(Problems.StatusOf(failure.Error)))
        {
            await Problems.WriteAsync(context, failure.Error);
        }
    }

    private async Task<bool> TryKeepAsync(HttpResponse response, RequestName name, HeldBody held)
    {
        if (!IsFinal(response.StatusCode))
        {
            return false;
        }

        try
        {
            await state.Idempotency.FinishAsync(name, new StoredAnswer(response.StatusCode, response.ContentType, response.Headers.Location, Encoding.UTF8.GetString(held.Held.Span)));
            await kept.NoteAsync(state, name.Project, held.Held.Length);
        }
        catch (CoveException failure)
        {
            // It has happened, and must not happen again: the name stays taken.
            log.AnswerNotKept(failure);
        }

        return true;
    }

    private static async Task RepeatAsync(HttpContext context, StoredRequest known, string hash)
    {
        if (!CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(known.BodyHash), Encoding.ASCII.GetBytes(hash)))
        {
            await Problems.WriteAsync(context, Error("idempotency_mismatch", retryable: false, "This Idempotency-Key was used for another request.", "Use a new key for a new request, or send the first request unchanged."), StatusCodes.Status422UnprocessableEntity);
            return;
        }

        if (known.Answer is not { Status: > 0 } answer)
        {
            context.Response.Headers.RetryAfter = known.Answer is null ? "1" : default;
            await Problems.WriteAsync(context, NotRepeated(known.Answer), StatusCodes.Status409Conflict);
            return;
        }

        var response = context.Response;
        response.StatusCode = answer.Status;
        response.ContentType = answer.ContentType;
        response.Headers.Location = answer.Location;
        response.Headers[IdempotencyKey.ReplayedHeader] = "true";
        await HeldAnswer.WriteAsync(context, Encoding.UTF8.GetBytes(answer.Body ?? ""), context.RequestAborted);
    }

    private async Task StreamAsync(RequestName name)
    {
        await state.Idempotency.FinishAsync(name, new StoredAnswer(0, null, null, null));
        await kept.NoteAsync(state, name.Project, 0);
    }

    private static RunError NotRepeated(StoredAnswer? answer) => answer switch
    {
        null => Error("idempotency_in_progress", retryable: true, "The first request with this Idempotency-Key is still being answered.", "Send it again after the seconds in Retry-After."),
        { Status: 0 } => Error("idempotency_streamed", retryable: false, "The first request with this Idempotency-Key was answered with a stream, which is not given again.", "List the sandbox's runs, and read the run from its journal."),
        _ => Error("idempotency_dropped", retryable: false, "The first request with this Idempotency-Key was answered, and its answer is not kept any more: the project's newer ones took its room.", "List the project's sandboxes, or the sandbox's runs; it is not carried out again."),
    };

    private static bool IsFinal(int status) => status is (>= 200 and < 300) or (>= 400 and < 500 and not StatusCodes.Status429TooManyRequests and not StatusCodes.Status408RequestTimeout);

    private static async Task<MemoryStream> ReadAsync(BoundedBody counted, CancellationToken cancellationToken)
    {
        var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (await counted.ReadAsync(buffer, cancellationToken) is > 0 and var read)
        {
            if (body.Length + read > MaximumBodyBytes)
            {
                throw new BadHttpRequestException($"A request with an Idempotency-Key is at most {MaximumBodyBytes} bytes long.", StatusCodes.Status413PayloadTooLarge);
            }

            body.Write(buffer, 0, read);
        }

        body.Position = 0;
        return body;
    }

    private static string Hash(HttpRequest request, MemoryStream body)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{request.QueryString}\n{request.Headers.Accept}\n"));
        hash.AppendData(body.GetBuffer().AsSpan(0, (int)body.Length));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static RunError Error(string code, bool retryable, string message, string remediation) => new()
    {
        Code = code,
        Category = ErrorCategory.Conflict,
        Retryable = retryable,
        Message = message,
        Remediation = remediation,
    };
}
