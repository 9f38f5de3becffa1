namespace Cove.Server.State;

/// <summary>The schema, a step for each version. A step that was released never changes; the next change is a new step.</summary>
internal static class Migrations
{
    private const string VersionOne = """
        CREATE TABLE projects (
            name TEXT PRIMARY KEY, created_at BIGINT NOT NULL,
            max_sandboxes BIGINT, max_memory_bytes BIGINT, cpu_seconds_per_day BIGINT, requests_per_minute BIGINT);
        CREATE TABLE keys (
            id TEXT PRIMARY KEY, project TEXT NOT NULL REFERENCES projects (name), name TEXT NOT NULL, hash TEXT NOT NULL, scopes BIGINT NOT NULL,
            created_at BIGINT NOT NULL, expires_at BIGINT, revoked_at BIGINT, last_used_at BIGINT);
        CREATE TABLE sandboxes (
            id TEXT PRIMARY KEY, project TEXT NOT NULL REFERENCES projects (name), key_id TEXT, node TEXT NOT NULL, template TEXT NOT NULL,
            info TEXT NOT NULL, created_at BIGINT NOT NULL, ended_at BIGINT, end_reason TEXT);
        CREATE INDEX sandboxes_of_project ON sandboxes (project, created_at, id);
        CREATE INDEX sandboxes_alive ON sandboxes (node) WHERE ended_at IS NULL;
        CREATE INDEX sandboxes_by_end ON sandboxes (ended_at);
        CREATE TABLE runs (
            sandbox TEXT NOT NULL REFERENCES sandboxes (id), id TEXT NOT NULL, project TEXT NOT NULL, key_id TEXT, kind TEXT NOT NULL,
            started_at BIGINT NOT NULL, ended_at BIGINT, outcome TEXT, duration_ms BIGINT, cpu_ms BIGINT, PRIMARY KEY (sandbox, id));
        CREATE INDEX runs_by_start ON runs (started_at);
        CREATE TABLE audit (
            number {counter}, at BIGINT NOT NULL, project TEXT, key_id TEXT, key_name TEXT, remote TEXT, operation TEXT NOT NULL,
            sandbox TEXT, run TEXT, status BIGINT NOT NULL, outcome TEXT, correlation TEXT);
        CREATE INDEX audit_by_time ON audit (at);
        CREATE TABLE idempotency (
            project TEXT NOT NULL, route TEXT NOT NULL, name TEXT NOT NULL, body_hash TEXT NOT NULL, node TEXT NOT NULL, created_at BIGINT NOT NULL,
            status BIGINT, content_type TEXT, location TEXT, body TEXT, PRIMARY KEY (project, route, name));
        CREATE INDEX idempotency_by_time ON idempotency (created_at);
        CREATE TABLE usage (project TEXT NOT NULL, day BIGINT NOT NULL, cpu_ms BIGINT NOT NULL, PRIMARY KEY (project, day));
        """;

    private const string VersionTwo = "CREATE INDEX idempotency_of_project ON idempotency (project, created_at);";

    /// <summary>Each version's statements, from version 1 on.</summary>
    internal static IReadOnlyList<string> Steps { get; } = [VersionOne, VersionTwo];

    /// <summary>Applies what is missing, each step with the others in one transaction: whole, or not at all.</summary>
    public static Task ApplyAsync(Database database) => ApplyAsync(database, Steps);

    internal static Task ApplyAsync(Database database, IReadOnlyList<string> steps) => database.TransactAsync(async session =>
    {
        if (database.Dialect.MigrationLock is { } statement)
        {
            await session.ExecuteAsync(statement);
        }

        await session.ExecuteAsync("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)");
        var version = await session.NumberAsync("SELECT MAX(version) FROM schema_version");
        if (version > steps.Count)
        {
            throw StateErrors.Newer(database.Dialect.Place, version, steps.Count);
        }

        for (; version < steps.Count; version++)
        {
            await session.ExecuteAsync(steps[(int)version].Replace("{counter}", database.Dialect.Counter, StringComparison.Ordinal));
            await session.ExecuteAsync("INSERT INTO schema_version (version) VALUES (@version)", ("version", version + 1));
        }

        return true;
    }, durably: true);
}
