using Cove.Server.Hosting;
using Microsoft.AspNetCore.Http;

namespace Cove.Server.Access.Audit;

/// <summary>
/// What is put on record of one request, once: of an answer that is whole before its first byte leaves, so that nobody holds an answer of which nothing
/// is known here; of a stream when it ends, because how it ended belongs to it.
/// </summary>
internal sealed class AnswerRecord(AuditTrail trail, HttpContext context, Holder holder, Operation operation, AuditNote note)
{
    private bool _written;

    /// <summary>Sees to it that an answer that is whole is on record before it leaves.</summary>
    public void Precede() => context.Response.OnStarting(static state => ((AnswerRecord)state).StartingAsync(), this);

    /// <summary>Puts the request on record, unless it is.</summary>
    public ValueTask WriteAsync(int status, string? code)
    {
        if (_written)
        {
            return ValueTask.CompletedTask;
        }

        _written = true;
        var did = TurnedOut.Of(context, operation);
        return trail.AddAsync(context, holder, did.Operation, did.Changes, note, status, code);
    }

    private Task StartingAsync() => IsWhole(context.Response.ContentType)
        ? WriteAsync(context.Response.StatusCode, TurnedOut.Of(context, operation).Code).AsTask()
        : Task.CompletedTask;

    private static bool IsWhole(string? type) => type is not null && (type.StartsWith("application/json", StringComparison.Ordinal) || type.StartsWith("application/problem+json", StringComparison.Ordinal));
}
