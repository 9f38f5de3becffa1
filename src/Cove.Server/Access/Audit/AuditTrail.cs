using Cove.Server.State;
using Cove.Server.Telemetry;
using Microsoft.AspNetCore.Http;

namespace Cove.Server.Access.Audit;

/// <summary>Writes who did what: of every request that changes something or was refused a row, written behind it.</summary>
internal sealed class AuditTrail(StateStore state, bool reads)
{
    private const int MaximumCorrelation = 128;

    public ValueTask AddAsync(HttpContext context, Holder? holder, string operation, bool changes, AuditNote note, int status, string? outcome)
    {
        if (!changes && !reads && status < StatusCodes.Status400BadRequest)
        {
            return ValueTask.CompletedTask;
        }

        var correlation = Correlation(context);
        return state.AuditAsync(new AuditRow
        {
            At = state.Time.GetUtcNow(),
            Project = holder?.Project,
            Key = holder?.Key,
            KeyName = holder?.KeyName,
            Remote = context.Connection.RemoteIpAddress?.ToString(),
            Operation = operation,
            Sandbox = Bounded(note.Sandbox),
            Run = Bounded(note.Run),
            Status = status,
            Outcome = outcome ?? note.Outcome,
            Correlation = correlation.Length <= MaximumCorrelation ? correlation : correlation[..MaximumCorrelation],
        });
    }

    /// <summary>Ids come from callers, and those that are none are not written down.</summary>
    private static string? Bounded(string? id) => SandboxId.TryParse(id, out _) ? id : null;

    private static string Correlation(HttpContext context) => context.CorrelationId() ?? context.TraceIdentifier;
}
