namespace Cove.Server.State;

/// <summary>A project and what differs for it from the server's quotas; null: the server's.</summary>
internal sealed record StoredProject(string Name)
{
    public long? MaxSandboxes { get; init; }

    public long? MaxMemoryBytes { get; init; }

    public long? CpuSecondsPerDay { get; init; }

    public long? RequestsPerMinute { get; init; }
}

/// <summary>The projects, and what each used of the processor on a day.</summary>
internal sealed class ProjectTable(Database database)
{
    private const string Columns = "SELECT name, max_sandboxes, max_memory_bytes, cpu_seconds_per_day, requests_per_minute FROM projects";

    public Task AddAsync(string name, DateTimeOffset now) => database.WriteAsync(
        session => session.ExecuteAsync("INSERT INTO projects (name, created_at) VALUES (@name, @now) ON CONFLICT (name) DO NOTHING", ("name", name), ("now", now)), durably: true);

    public Task<StoredProject?> FindAsync(string name) => database.ReadAsync(session => session.FirstAsync(Columns + " WHERE name = @name", Map, ("name", name)));

    public Task<List<StoredProject>> ListAsync() => database.ReadAsync(session => session.ListAsync(Columns + " ORDER BY name", Map));

    /// <summary>Sets a project's own quotas, all of them; false when there is no such project.</summary>
    public async Task<bool> SetAsync(StoredProject project) => await database.WriteAsync(session => session.ExecuteAsync(
        "UPDATE projects SET max_sandboxes = @sandboxes, max_memory_bytes = @memory, cpu_seconds_per_day = @cpu, requests_per_minute = @requests WHERE name = @name",
        ("sandboxes", project.MaxSandboxes), ("memory", project.MaxMemoryBytes), ("cpu", project.CpuSecondsPerDay), ("requests", project.RequestsPerMinute), ("name", project.Name)),
        durably: true) > 0;

    /// <summary>Processor time used on a day (days since 1970, UTC), milliseconds.</summary>
    public Task<long> CpuAsync(string name, long day) => database.ReadAsync(session =>
        session.NumberAsync("SELECT cpu_ms FROM usage WHERE project = @project AND day = @day", ("project", name), ("day", day)));

    public static Func<Session, Task> ChargeCpu(string name, long day, long milliseconds) => session => session.ExecuteAsync(
        "INSERT INTO usage (project, day, cpu_ms) VALUES (@project, @day, @cpu) ON CONFLICT (project, day) DO UPDATE SET cpu_ms = usage.cpu_ms + excluded.cpu_ms",
        ("project", name), ("day", day), ("cpu", milliseconds));

    private static StoredProject Map(Row row) => new(row.Text(0))
    {
        MaxSandboxes = row.NumberOrNull(1),
        MaxMemoryBytes = row.NumberOrNull(2),
        CpuSecondsPerDay = row.NumberOrNull(3),
        RequestsPerMinute = row.NumberOrNull(4),
    };
}
