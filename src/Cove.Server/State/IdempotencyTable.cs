namespace Cove.Server.State;

/// <summary>Names a request that shall happen once.</summary>
internal readonly record struct RequestName(string Project, string Route, string Name);

/// <summary>What is known of such a request; its answer is null while it is being made.</summary>
internal sealed record StoredRequest(string BodyHash, string Node, DateTimeOffset CreatedAt, StoredAnswer? Answer);

/// <summary>An answer to give again. Status 0: it was a stream, which can't be; -1: it was dropped, since its project keeps too many.</summary>
internal sealed record StoredAnswer(int Status, string? ContentType, string? Location, string? Body);

/// <summary>Requests by their idempotency key, kept for a day.</summary>
internal sealed class IdempotencyTable(Database database)
{
    /// <summary>Claims a name; null when it is ours now, else what is known of the request that has it.</summary>
    public Task<StoredRequest?> ClaimAsync(RequestName name, string bodyHash, string node, DateTimeOffset now, DateTimeOffset expired) => database.WriteAsync(async session =>
    {
        await session.ExecuteAsync("DELETE FROM idempotency WHERE project = @project AND route = @route AND name = @name AND created_at <= @expired", Key(name, ("expired", expired)));
        var claimed = await session.ExecuteAsync(
            "INSERT INTO idempotency (project, route, name, body_hash, node, created_at) VALUES (@project, @route, @name, @hash, @node, @now) ON CONFLICT (project, route, name) DO NOTHING",
            Key(name, ("hash", bodyHash), ("node", node), ("now", now)));
        return claimed > 0 ? null : await session.FirstAsync(
            "SELECT body_hash, node, created_at, status, content_type, location, body FROM idempotency WHERE project = @project AND route = @route AND name = @name", Map, Key(name));
    });

    /// <summary>Keeps the final answer; on the disk's side of a kill before the caller hears it.</summary>
    public Task FinishAsync(RequestName name, StoredAnswer answer) => database.WriteAsync(
        "UPDATE idempotency SET status = @status, content_type = @type, location = @location, body = @body WHERE project = @project AND route = @route AND name = @name",
        Key(name, ("status", answer.Status), ("type", answer.ContentType), ("location", answer.Location), ("body", answer.Body)));

    /// <summary>
    /// Holds a project to its bounds: of answers that are too many bytes together the oldest are dropped, but not that they were given, so that nothing
    /// happens twice; of requests that are too many the oldest that are over are forgotten.
    /// </summary>
    public static Func<Session, Task> Trim(string project, long mostRequests, long mostBytes) => async session =>
    {
        await session.ExecuteAsync(
            """
            UPDATE idempotency SET status = -1, content_type = NULL, location = NULL, body = NULL
            WHERE project = @project AND body IS NOT NULL AND created_at <= (
                SELECT MAX(created_at) FROM (
                    SELECT created_at, SUM(LENGTH(body)) OVER (ORDER BY created_at DESC) AS total FROM idempotency WHERE project = @project AND body IS NOT NULL) AS kept
                WHERE total > @bytes)
            """,
            ("project", project), ("bytes", mostBytes));
        await session.ExecuteAsync(
            """
            DELETE FROM idempotency WHERE project = @project AND status IS NOT NULL AND created_at <= (
                SELECT created_at FROM idempotency WHERE project = @project ORDER BY created_at DESC LIMIT 1 OFFSET @most)
            """,
            ("project", project), ("most", mostRequests));
    };

    /// <summary>Gives a name back: its answer was none to keep.</summary>
    public Task ReleaseAsync(RequestName name) => database.WriteAsync(
        "DELETE FROM idempotency WHERE project = @project AND route = @route AND name = @name AND status IS NULL", Key(name));

    /// <summary>Gives back what the last server of this node had begun when it died.</summary>
    public Task<int> ReleaseLostAsync(string node) => database.WriteAsync(
        "DELETE FROM idempotency WHERE node = @node AND status IS NULL", ("node", node));

    private static (string, object?)[] Key(RequestName name, params (string, object?)[] more) =>
        [("project", name.Project), ("route", name.Route), ("name", name.Name), .. more];

    private static StoredRequest Map(Row row) => new(
        row.Text(0), row.Text(1), row.Time(2),
        row.NumberOrNull(3) is { } status ? new StoredAnswer((int)status, row.TextOrNull(4), row.TextOrNull(5), row.TextOrNull(6)) : null);
}
