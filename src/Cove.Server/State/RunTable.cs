namespace Cove.Server.State;

/// <summary>A run that ended, as it is accounted for. Neither its code nor its output is kept here.</summary>
internal sealed record StoredRun
{
    public required RunId Id { get; init; }

    public required SandboxId Sandbox { get; init; }

    public required string Project { get; init; }

    public string? Key { get; init; }

    /// <summary><c>code</c> or <c>command</c>.</summary>
    public required string Kind { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public DateTimeOffset? EndedAt { get; init; }

    public RunOutcome? Outcome { get; init; }

    public TimeSpan? Duration { get; init; }

    /// <summary>Processor time; null when it can't be told apart from another run's.</summary>
    public TimeSpan? CpuTime { get; init; }
}

/// <summary>The runs.</summary>
internal sealed class RunTable(Database database)
{
    /// <summary>A run of a sandbox that the database knows; of another nothing is written.</summary>
    public static Func<Session, Task> Put(StoredRun run) => session => session.ExecuteAsync(
        """
        INSERT INTO runs (sandbox, id, project, key_id, kind, started_at, ended_at, outcome, duration_ms, cpu_ms)
        SELECT id, @id, @project, CAST(@key AS TEXT), @kind, @started, CAST(@ended AS BIGINT), CAST(@outcome AS TEXT), CAST(@duration AS BIGINT), CAST(@cpu AS BIGINT) FROM sandboxes WHERE id = @sandbox
        ON CONFLICT (sandbox, id) DO UPDATE SET ended_at = excluded.ended_at, outcome = excluded.outcome, duration_ms = excluded.duration_ms, cpu_ms = COALESCE(excluded.cpu_ms, runs.cpu_ms)
        """,
        ("sandbox", run.Sandbox.Value), ("id", run.Id.Value), ("project", run.Project), ("key", run.Key), ("kind", run.Kind), ("started", run.StartedAt), ("ended", run.EndedAt),
        ("outcome", run.Outcome?.ToString()), ("duration", (long?)run.Duration?.TotalMilliseconds), ("cpu", (long?)run.CpuTime?.TotalMilliseconds));

    /// <summary>Adds what a run used of the processor, once that is known.</summary>
    public static Func<Session, Task> Cpu(SandboxId sandbox, RunId run, TimeSpan used) => session => session.ExecuteAsync(
        "UPDATE runs SET cpu_ms = @cpu WHERE sandbox = @sandbox AND id = @id", ("cpu", (long)used.TotalMilliseconds), ("sandbox", sandbox.Value), ("id", run.Value));

    /// <summary>A run that was lost with its engine: its project and key are those of its sandbox.</summary>
    public static Func<Session, Task> Lost(RunInfo run, TimeSpan duration) => session => session.ExecuteAsync(
        """
        INSERT INTO runs (sandbox, id, project, key_id, kind, started_at, ended_at, outcome, duration_ms)
        SELECT id, @id, project, key_id, @kind, @started, @ended, @outcome, @duration FROM sandboxes WHERE id = @sandbox
        ON CONFLICT (sandbox, id) DO NOTHING
        """,
        ("id", run.Id.Value), ("kind", run.Kernel is null ? "command" : "code"), ("started", run.StartedAt), ("ended", run.StartedAt + duration),
        ("outcome", RunOutcome.InfrastructureFailure.ToString()), ("duration", (long)duration.TotalMilliseconds), ("sandbox", run.Sandbox.Value));

    public Task<List<StoredRun>> ListAsync(SandboxId sandbox) => database.ReadAsync(session => session.ListAsync(
        "SELECT sandbox, id, project, key_id, kind, started_at, ended_at, outcome, duration_ms, cpu_ms FROM runs WHERE sandbox = @sandbox ORDER BY started_at, id", Map, ("sandbox", sandbox.Value)));

    private static StoredRun Map(Row row) => new()
    {
        Sandbox = new SandboxId(row.Text(0)),
        Id = new RunId(row.Text(1)),
        Project = row.Text(2),
        Key = row.TextOrNull(3),
        Kind = row.Text(4),
        StartedAt = row.Time(5),
        EndedAt = row.TimeOrNull(6),
        Outcome = row.TextOrNull(7) is { } outcome ? Enum.Parse<RunOutcome>(outcome) : null,
        Duration = row.NumberOrNull(8) is { } duration ? TimeSpan.FromMilliseconds(duration) : null,
        CpuTime = row.NumberOrNull(9) is { } cpu ? TimeSpan.FromMilliseconds(cpu) : null,
    };
}
