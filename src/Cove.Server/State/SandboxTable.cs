using System.Text.Json;
using Cove.Wire;

namespace Cove.Server.State;

/// <summary>Every sandbox that was made and why it ended. The environment it was given is not kept: secrets travel in it.</summary>
internal sealed class SandboxTable(Database database)
{
    /// <summary>A new sandbox, committed when this returns.</summary>
    public Task AddAsync(SandboxInfo info, string project, string? key, string node) => AddMissingAsync([Row(info, project, key, node)]);

    /// <summary>Adds those of some sandboxes that are not there yet. Returns how many that were.</summary>
    public Task<int> AddMissingAsync(IReadOnlyList<SandboxRow> rows) => database.WriteAsync(async session =>
    {
        var added = 0;
        foreach (var row in rows)
        {
            added += await InsertAsync(session, row);
        }

        return added;
    });

    /// <summary>Adds a new sandbox.</summary>
    public static Func<Session, Task> Add(SandboxRow row) => session => InsertAsync(session, row);

    public static SandboxRow Row(SandboxInfo info, string project, string? key, string node) =>
        new() { Id = info.Id.Value, Project = project, Key = key, Node = node, Template = info.Template, Info = Text(info), CreatedAt = info.CreatedAt };

    /// <summary>What is kept of a project's sandbox; another project's is not there.</summary>
    public Task<SandboxInfo?> FindAsync(SandboxId id, string project) => database.ReadAsync(session => session.FirstAsync(
        "SELECT info FROM sandboxes WHERE id = @id AND project = @project", row => Info(row.Text(0)), ("id", id.Value), ("project", project)));

    /// <summary>A project's sandboxes that ended, oldest first, after a place in that order.</summary>
    public Task<List<SandboxInfo>> ListEndedAsync(string project, DateTimeOffset after, string afterId, int limit) => database.ReadAsync(session => session.ListAsync(
        """
        SELECT info FROM sandboxes WHERE project = @project AND ended_at IS NOT NULL AND (created_at > @after OR (created_at = @after AND id > @id))
        ORDER BY created_at, id LIMIT @limit
        """,
        row => Info(row.Text(0)), ("project", project), ("after", after), ("id", afterId), ("limit", limit)));

    /// <summary>Notes an end; the first one noted stays.</summary>
    public static Func<Session, Task> Ended(SandboxInfo info, DateTimeOffset now) => session => EndAsync(session, info, now);

    /// <summary>The same of one that the database may have refused when it was made.</summary>
    public static Func<Session, Task> Ended(SandboxRow made, SandboxInfo info, DateTimeOffset now) => async session =>
    {
        if (await EndAsync(session, info, now) == 0 && await InsertAsync(session, made) > 0)
        {
            await EndAsync(session, info, now);
        }
    };

    /// <summary>A change of its life (an extension).</summary>
    public static Func<Session, Task> Changed(SandboxInfo info) => session => session.ExecuteAsync(
        "UPDATE sandboxes SET info = @info WHERE id = @id AND ended_at IS NULL", ("info", Text(info)), ("id", info.Id.Value));

    /// <summary>
    /// Accounts for what had no end when the last server of this node died: of each it is asked why it ended, since one that ended just before may only
    /// not have been written down. Run before the first request is served.
    /// </summary>
    public async Task<int> EndLostAsync(string node, DateTimeOffset now, Func<SandboxId, Task<SandboxEndReason>> why)
    {
        var lost = await database.ReadAsync(session => session.ListAsync("SELECT info FROM sandboxes WHERE node = @node AND ended_at IS NULL", row => Info(row.Text(0)), ("node", node)));
        var ended = new List<SandboxInfo>(lost.Count);
        foreach (var info in lost)
        {
            ended.Add(info with { State = SandboxState.Ended, EndReason = await why(info.Id) });
        }

        return await database.WriteAsync(async session =>
        {
            foreach (var info in ended)
            {
                await Ended(info, now)(session);
            }

            return ended.Count(info => info.EndReason == SandboxEndReason.EngineLost);
        });
    }

    private static Task<int> EndAsync(Session session, SandboxInfo info, DateTimeOffset now) => session.ExecuteAsync(
        "UPDATE sandboxes SET info = @info, ended_at = @now, end_reason = @reason WHERE id = @id AND ended_at IS NULL",
        ("info", Text(info)), ("now", now), ("reason", info.EndReason?.ToString()), ("id", info.Id.Value));

    private static Task<int> InsertAsync(Session session, SandboxRow row) => session.ExecuteAsync(
        "INSERT INTO sandboxes (id, project, key_id, node, template, info, created_at) VALUES (@id, @project, @key, @node, @template, @info, @created) ON CONFLICT (id) DO NOTHING",
        ("id", row.Id), ("project", row.Project), ("key", row.Key), ("node", row.Node), ("template", row.Template), ("info", row.Info), ("created", row.CreatedAt));

    private static string Text(SandboxInfo info) => JsonSerializer.Serialize(info, CoveJson.Wire.SandboxInfo);

    private static SandboxInfo Info(string text) => JsonSerializer.Deserialize(text, CoveJson.Wire.SandboxInfo) ?? throw new JsonException("A sandbox row is null.");
}

/// <summary>A new sandbox as the database and its spool have it.</summary>
internal sealed record SandboxRow
{
    public required string Id { get; init; }

    public required string Project { get; init; }

    public string? Key { get; init; }

    public required string Node { get; init; }

    public required string Template { get; init; }

    /// <summary>What was known of it, as JSON.</summary>
    public required string Info { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }
}
