namespace Cove.Server.State;

/// <summary>A key as it is kept: never the key itself.</summary>
internal sealed record StoredKey
{
    /// <summary>The part of the key that is no secret.</summary>
    public required string Id { get; init; }

    public required string Project { get; init; }

    public required string Name { get; init; }

    /// <summary>SHA-256 of the whole key, hexadecimal.</summary>
    public required string Hash { get; init; }

    public required long Scopes { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? ExpiresAt { get; init; }

    public DateTimeOffset? RevokedAt { get; init; }

    public DateTimeOffset? LastUsedAt { get; init; }
}

/// <summary>The keys. Their writes are on the disk when they return: a revocation must outlive a power cut.</summary>
internal sealed class KeyTable(Database database)
{
    private const string Columns = "SELECT id, project, name, hash, scopes, created_at, expires_at, revoked_at, last_used_at FROM keys";

    public Task AddAsync(StoredKey key) => database.WriteAsync(async session =>
    {
        await session.ExecuteAsync("INSERT INTO projects (name, created_at) VALUES (@name, @now) ON CONFLICT (name) DO NOTHING", ("name", key.Project), ("now", key.CreatedAt));
        return await session.ExecuteAsync(
            "INSERT INTO keys (id, project, name, hash, scopes, created_at, expires_at) VALUES (@id, @project, @name, @hash, @scopes, @created, @expires)",
            ("id", key.Id), ("project", key.Project), ("name", key.Name), ("hash", key.Hash), ("scopes", key.Scopes), ("created", key.CreatedAt), ("expires", key.ExpiresAt));
    }, durably: true);

    public Task<StoredKey?> FindAsync(string id) => database.ReadAsync(session => session.FirstAsync(Columns + " WHERE id = @id", Map, ("id", id)));

    public Task<List<StoredKey>> ListAsync(string? project = null) => database.ReadAsync(session => project is null
        ? session.ListAsync(Columns + " ORDER BY created_at, id", Map)
        : session.ListAsync(Columns + " WHERE project = @project ORDER BY created_at, id", Map, ("project", project)));

    /// <summary>The ids of all keys that were not revoked.</summary>
    public Task<List<string>> IdsAsync() => database.ReadAsync(session => session.ListAsync("SELECT id FROM keys WHERE revoked_at IS NULL", static row => row.Text(0)));

    /// <summary>Whether any key could let somebody in.</summary>
    public async Task<bool> AnyAsync(DateTimeOffset now) => await database.ReadAsync(session =>
        session.NumberAsync("SELECT COUNT(*) FROM keys WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > @now)", ("now", now))) > 0;

    /// <summary>Revokes a key; false when there is none, or it was revoked before.</summary>
    public async Task<bool> RevokeAsync(string id, DateTimeOffset now) => await database.WriteAsync(
        session => session.ExecuteAsync("UPDATE keys SET revoked_at = @now WHERE id = @id AND revoked_at IS NULL", ("now", now), ("id", id)), durably: true) > 0;

    public static Func<Session, Task> Used(string id, DateTimeOffset now) => session =>
        session.ExecuteAsync("UPDATE keys SET last_used_at = @now WHERE id = @id", ("now", now), ("id", id));

    private static StoredKey Map(Row row) => new()
    {
        Id = row.Text(0),
        Project = row.Text(1),
        Name = row.Text(2),
        Hash = row.Text(3),
        Scopes = row.Number(4),
        CreatedAt = row.Time(5),
        ExpiresAt = row.TimeOrNull(6),
        RevokedAt = row.TimeOrNull(7),
        LastUsedAt = row.TimeOrNull(8),
    };
}
