namespace Cove.Server.State;

/// <summary>Who did what. No body, no file name, no secret: only ids, and what came of it.</summary>
internal sealed record AuditRow
{
    public required DateTimeOffset At { get; init; }

    public string? Project { get; init; }

    public string? Key { get; init; }

    public string? KeyName { get; init; }

    /// <summary>The address it came from.</summary>
    public string? Remote { get; init; }

    /// <summary>The operation's id, or <c>authenticate</c> for one that was let in nowhere.</summary>
    public required string Operation { get; init; }

    public string? Sandbox { get; init; }

    public string? Run { get; init; }

    /// <summary>The HTTP status.</summary>
    public required int Status { get; init; }

    /// <summary>The error's code, or how a run ended.</summary>
    public string? Outcome { get; init; }

    public string? Correlation { get; init; }
}

/// <summary>The audit log: rows are added and, when they are older than the retention, removed. There is no statement that changes one.</summary>
internal sealed class AuditTable(Database database)
{
    private const string Columns = "SELECT at, project, key_id, key_name, remote, operation, sandbox, run, status, outcome, correlation FROM audit";

    public static Func<Session, Task> Add(AuditRow row) => session => session.ExecuteAsync(
        """
        INSERT INTO audit (at, project, key_id, key_name, remote, operation, sandbox, run, status, outcome, correlation)
        VALUES (@at, @project, @key, @name, @remote, @operation, @sandbox, @run, @status, @outcome, @correlation)
        """,
        Values(row));

    /// <summary>Adds those of some rows that are not there yet, in the order of their times; equal ones count. Returns how many that were.</summary>
    public Task<int> AddMissingAsync(IReadOnlyList<AuditRow> rows) => database.WriteAsync(async session =>
    {
        var added = 0;
        foreach (var equal in rows.Select(InMilliseconds).OrderBy(row => row.At).GroupBy(row => row))
        {
            var row = equal.Key;
            var there = await session.NumberAsync(
                """
                SELECT COUNT(*) FROM audit WHERE at = @at AND operation = @operation AND status = @status
                    AND project IS NOT DISTINCT FROM @project AND key_id IS NOT DISTINCT FROM @key AND key_name IS NOT DISTINCT FROM @name AND remote IS NOT DISTINCT FROM @remote
                    AND sandbox IS NOT DISTINCT FROM @sandbox AND run IS NOT DISTINCT FROM @run AND outcome IS NOT DISTINCT FROM @outcome AND correlation IS NOT DISTINCT FROM @correlation
                """,
                Values(row));
            foreach (var missing in equal.Skip((int)there))
            {
                await Add(missing)(session);
                added++;
            }
        }

        return added;
    });

    /// <summary>As the database has it.</summary>
    private static AuditRow InMilliseconds(AuditRow row) => row with { At = DateTimeOffset.FromUnixTimeMilliseconds(row.At.ToUnixTimeMilliseconds()) };

    /// <summary>The newest rows first.</summary>
    public Task<List<AuditRow>> ListAsync(int limit, string? project = null, DateTimeOffset since = default) => database.ReadAsync(session => project is null
        ? session.ListAsync(Columns + " WHERE at >= @since ORDER BY number DESC LIMIT @limit", Map, ("since", since), ("limit", limit))
        : session.ListAsync(Columns + " WHERE at >= @since AND project = @project ORDER BY number DESC LIMIT @limit", Map, ("since", since), ("project", project), ("limit", limit)));

    private static (string, object?)[] Values(AuditRow row) =>
    [
        ("at", row.At), ("project", row.Project), ("key", row.Key), ("name", row.KeyName), ("remote", row.Remote), ("operation", row.Operation),
        ("sandbox", row.Sandbox), ("run", row.Run), ("status", row.Status), ("outcome", row.Outcome), ("correlation", row.Correlation),
    ];

    private static AuditRow Map(Row row) => new()
    {
        At = row.Time(0),
        Project = row.TextOrNull(1),
        Key = row.TextOrNull(2),
        KeyName = row.TextOrNull(3),
        Remote = row.TextOrNull(4),
        Operation = row.Text(5),
        Sandbox = row.TextOrNull(6),
        Run = row.TextOrNull(7),
        Status = (int)row.Number(8),
        Outcome = row.TextOrNull(9),
        Correlation = row.TextOrNull(10),
    };
}
