using Cove.Server.Access.Audit;
using Cove.Server.Access.Idempotency;
using Cove.Server.Access.Quotas;
using Cove.Server.Access.Tenancy;
using Cove.Server.Bounds;
using Cove.Server.Hosting;
using Cove.Server.Telemetry;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Cove.Server.Access;

/// <summary>
/// What every request passes between the door and its front-end: whose key is it, does it allow this operation, is the project within its
/// quotas. A route that does not say what it needs is refused.
/// </summary>
internal sealed class AccessGate(AccessOptions options, KeyRing keys, FailureLimiter failures, QuotaTable quotas, OpenRequests open, HeldMemory memory, Ledger ledger, AuditTrail audit, IdempotentAnswers answers, ILogger log)
{
    private readonly ReadingPace _pace = ReadingPace.OfCallers(options.ReadTime);
    private static readonly Holder _anonymous = new(KeyRequest.DefaultProject, Scopes.All, null, null);

    /// <summary>Where refusals are counted.</summary>
    public ServerMeter? Meter { get; set; }

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        // Where there is no route (or none for this method) there is nothing to guard; the door says so.
        if (context.GetEndpoint() is not RouteEndpoint route)
        {
            await next(context);
            return;
        }

        if (route.Metadata.GetMetadata<Operation>() is not { } operation)
        {
            log.RouteWithoutOperation(route.RoutePattern.RawText);
            await Problems.WriteAsync(context, AccessErrors.Closed(context.Request.Path), StatusCodes.Status403Forbidden);
            return;
        }

        if (operation.Needs == Scopes.None)
        {
            await next(context);
            return;
        }

        if (await AuthenticateAsync(context) is { } holder)
        {
            await AdmitAsync(context, operation, holder, next);
        }
    }

    /// <summary>Who asks; null when the request was answered because nobody knows.</summary>
    private async ValueTask<Holder?> AuthenticateAsync(HttpContext context)
    {
        var text = Credentials.Of(context.Request);
        if (text is null && options.AllowAnonymous)
        {
            return _anonymous;
        }

        // An address that failed too often is still heard with a valid key: others may share it. Only what could be one is looked at there.
        var remote = context.Connection.RemoteIpAddress;
        var wait = failures.Wait(remote);
        var (holder, reason) = text is null ? (null, "missing") : wait is not null && !await keys.MayHoldAsync(text) ? (null, "unknown") : await keys.FindAsync(text);
        if (holder is not null)
        {
            return holder;
        }

        if (wait is { } seconds)
        {
            context.Response.Headers.RetryAfter = seconds.ToString();
            await Problems.WriteAsync(context, AccessErrors.TooManyFailures, StatusCodes.Status429TooManyRequests);
            return null;
        }

        failures.Note(remote);
        Meter?.AuthenticationFailed(reason!);
        log.KeyRefused(remote?.ToString() ?? "unknown", reason!);
        await audit.AddAsync(context, null, "authenticate", changes: true, new AuditNote(), StatusCodes.Status401Unauthorized, reason);
        context.Response.Headers.WWWAuthenticate = "Bearer realm=\"cove\"";
        await Problems.WriteAsync(context, text is null ? AccessErrors.KeyMissing : AccessErrors.KeyRefused, StatusCodes.Status401Unauthorized);
        return null;
    }

    private async Task AdmitAsync(HttpContext context, Operation operation, Holder holder, RequestDelegate next)
    {
        ReadingPace.Set(context, _pace);
        if (!Connections.TryKeep(context, holder.Project))
        {
            context.Response.Headers.Connection = "close";
        }

        var changes = operation.Needs.Change();
        if ((holder.Scopes & operation.Needs) != operation.Needs)
        {
            await Problems.WriteAsync(context, AccessErrors.ScopeMissing(operation.Needs, holder.Scopes), StatusCodes.Status403Forbidden);
            await audit.AddAsync(context, holder, operation.Id, changes, new AuditNote(), StatusCodes.Status403Forbidden, "scope_missing");
            return;
        }

        var quota = quotas.Of(holder.Project);
        await quota.RefreshAsync();
        var rate = new RateHeaders(quota.Request());
        context.Response.OnStarting(RateHeaders.Write, (context.Response, rate));
        if (rate.Refused)
        {
            Meter?.QuotaRefused("requests");
            await Problems.WriteAsync(context, quota.RequestRefusal(rate.Rate), StatusCodes.Status429TooManyRequests);
            await audit.AddAsync(context, holder, operation.Id, changes, new AuditNote(), StatusCodes.Status429TooManyRequests, "quota_exceeded");
            return;
        }

        using var entered = open.Enter(context, holder);
        if (entered is null)
        {
            rate.RetryAfter = quota.RetryAfter(null);
            Meter?.QuotaRefused("open_requests");
            await Problems.WriteAsync(context, quota.OpenRefusal(open.Most), StatusCodes.Status429TooManyRequests);
            await audit.AddAsync(context, holder, operation.Id, changes, new AuditNote(), StatusCodes.Status429TooManyRequests, "quota_exceeded");
            return;
        }

        await ServeAsync(context, operation, holder, quota, rate, next);
    }

    /// <summary>Lets it through to its front-end and puts on record what came of it.</summary>
    private async Task ServeAsync(HttpContext context, Operation operation, Holder holder, ProjectQuota quota, RateHeaders rate, RequestDelegate next)
    {
        var note = new AuditNote();
        var held = memory.Of(holder.Project);
        var cove = new ProjectCove(ledger, quota, holder.Project, holder.Key, note, held);
        context.Features.Set(new Caller { Project = holder.Project, Scopes = holder.Scopes, Key = holder.Key, Held = held, Time = ledger.State.Time, Cove = cove });
        var record = new AnswerRecord(audit, context, holder, operation, note);
        record.Precede();
        try
        {
            await answers.InvokeAsync(context, operation, holder.Project, next);
            var did = TurnedOut.Of(context, operation);
            if (did is { Code: "quota_exceeded", Limit: { } reached })
            {
                Meter?.QuotaRefused(reached);
            }

            await record.WriteAsync(context.Response.StatusCode, did.Code);
        }
        catch (Exception failure)
        {
            var error = (failure as CoveException)?.Error;
            if (error is { Code: "quota_exceeded", Evidence.Limit: { } limit })
            {
                rate.RetryAfter = quota.RetryAfter(limit);
                Meter?.QuotaRefused(limit);
            }

            await record.WriteAsync(StatusOf(failure, context), error?.Code);
            throw;
        }
    }

    private static int StatusOf(Exception failure, HttpContext context) => failure switch
    {
        CoveException known => Problems.StatusOf(known.Error),
        BadHttpRequestException bad => bad.StatusCode,
        OperationCanceledException when context.RequestAborted.IsCancellationRequested => StatusCodes.Status499ClientClosedRequest,
        _ => StatusCodes.Status500InternalServerError,
    };
}
