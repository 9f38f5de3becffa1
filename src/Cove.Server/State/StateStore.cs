using System.Collections.Concurrent;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Logging;

namespace Cove.Server.State;

/// <summary>All that the server keeps: one database, its tables, and the writer of rows nobody waits for.</summary>
internal sealed class StateStore : IAsyncDisposable
{
    private const string AuditSpool = "audit";
    private const string SandboxSpool = "sandboxes";

    private static readonly TimeSpan IdempotencyLife = TimeSpan.FromHours(24);

    private readonly Database _database;
    private readonly StateOptions _options;
    private readonly ILogger _log;
    private readonly ITimer _purge;
    private readonly ConcurrentDictionary<string, Action<bool>> _refused = new();
    private FileStream? _lock;
    private RowSpool<AuditRow>? _auditSpool;
    private RowSpool<SandboxRow>? _sandboxSpool;

    private StateStore(Database database, StateOptions options, string node, ILogger log)
    {
        (_database, _options, _log, Node) = (database, options, log, node);
        Keys = new KeyTable(database);
        Projects = new ProjectTable(database);
        Sandboxes = new SandboxTable(database);
        Runs = new RunTable(database);
        Audit = new AuditTable(database);
        Idempotency = new IdempotencyTable(database);
        Writer = new BackgroundWriter(database, options, log);
        _purge = options.Time.CreateTimer(static state => _ = ((StateStore)state!).PurgeAsync(), this, TimeSpan.FromMinutes(5), TimeSpan.FromHours(1));
    }

    /// <summary>Names this data directory's server among those that share a database.</summary>
    public string Node { get; }

    public TimeProvider Time => _options.Time;

    public string Place => _database.Dialect.Place;

    public KeyTable Keys { get; }

    public ProjectTable Projects { get; }

    public SandboxTable Sandboxes { get; }

    public RunTable Runs { get; }

    public AuditTable Audit { get; }

    public IdempotencyTable Idempotency { get; }

    public BackgroundWriter Writer { get; }

    /// <summary>Opens the database, makes it when it is missing and brings its schema up to date.</summary>
    public static async Task<StateStore> OpenAsync(StateOptions options, ILogger log)
    {
        options.Validate();
        var node = DataDirectory.Prepare(options.DataDirectory);
        return new StateStore(await Database.OpenAsync(Dialect.Of(options)), options, node, log);
    }

    /// <summary>Takes the data directory for this server alone (unless that was done) and accounts for what was alive when the last one died. Called once, before the first request.</summary>
    /// <param name="why">Why a sandbox ended, as far as anybody else has written that down; without it: with its engine.</param>
    public async Task BeginServingAsync(Func<SandboxId, Task<SandboxEndReason>>? why = null)
    {
        _lock = _options.DirectoryIsHeld ? null : DataDirectory.Lock(_options.DataDirectory);
        var sandboxes = await BringInAsync(SandboxSpool, SpoolJson.Default.SandboxRow, Sandboxes.AddMissingAsync); // before their ends are looked for
        if (await Sandboxes.EndLostAsync(Node, Time.GetUtcNow(), why ?? (static _ => Task.FromResult(SandboxEndReason.EngineLost))) is var lost and > 0)
        {
            _log.SandboxesLost(lost);
        }

        await Idempotency.ReleaseLostAsync(Node);
        var audit = await BringInAsync(AuditSpool, SpoolJson.Default.AuditRow, Audit.AddMissingAsync);
        if (audit + sandboxes > 0)
        {
            _log.RowsBroughtIn(audit, sandboxes);
        }

        _auditSpool = new RowSpool<AuditRow>(_options.DataDirectory, AuditSpool, SpoolJson.Default.AuditRow, _log);
        _sandboxSpool = new RowSpool<SandboxRow>(_options.DataDirectory, SandboxSpool, SpoolJson.Default.SandboxRow, _log);
    }

    /// <summary>Notes a new sandbox: from here on it outlives this process. Waits for the database only while that fails, and where nothing else takes it.</summary>
    public async ValueTask AddSandboxAsync(SandboxInfo info, string project, string? key)
    {
        var row = SandboxTable.Row(info, project, key, Node);
        if (!Writer.IsFailing && _sandboxSpool?.Take(row) is { } settled)
        {
            await Writer.AddAsync(SandboxTable.Add(row), written =>
            {
                if (written)
                {
                    settled(true);
                }
                else
                {
                    _refused[row.Id] = settled; // it stays in the file until the database takes it, with its end
                }
            });
            return;
        }

        await Sandboxes.AddMissingAsync([row]);
    }

    /// <summary>Notes the end of a sandbox, and with it the sandbox where the database had refused that.</summary>
    public ValueTask EndSandboxAsync(SandboxInfo made, string project, string? key, SandboxInfo info) =>
        Writer.AddAsync(SandboxTable.Ended(SandboxTable.Row(made, project, key, Node), info, Time.GetUtcNow()), written =>
        {
            if (written && _refused.TryRemove(made.Id.Value, out var settled))
            {
                settled(true);
            }
        });

    /// <summary>Puts an action on record: from here on it outlives this process. Completes without waiting for the database while there is room.</summary>
    public ValueTask AuditAsync(AuditRow row) => Writer.AddAsync(AuditTable.Add(row), _auditSpool?.Take(row));

    /// <summary>The rows that a killed server had taken. What can't be read or written must not keep the next one from serving. Returns how many were missing.</summary>
    private async Task<int> BringInAsync<T>(string spool, JsonTypeInfo<T> type, Func<IReadOnlyList<T>, Task<int>> addMissing)
        where T : class
    {
        try
        {
            return RowSpool<T>.Left(_options.DataDirectory, spool, type) is { Count: > 0 } left ? await BringInAsync(spool, left, addMissing) : 0;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            _log.SpoolLost(failure, spool);
            return 0;
        }
    }

    /// <summary>All at once; or one by one, where one that can't be brought in would take the others along.</summary>
    private async Task<int> BringInAsync<T>(string spool, List<T> rows, Func<IReadOnlyList<T>, Task<int>> addMissing)
    {
        try
        {
            return await addMissing(rows);
        }
        catch (CoveException) when (rows.Count > 1)
        {
            var added = 0;
            foreach (var row in rows)
            {
                added += await BringInAsync(spool, [row], addMissing);
            }

            return added;
        }
        catch (CoveException failure)
        {
            _log.SpoolLost(failure, spool);
            return 0;
        }
    }

    /// <summary>What is wrong with the database; null when it answers.</summary>
    public async ValueTask<string?> FaultAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _database.ReadAsync(session => session.NumberAsync("SELECT 1")).WaitAsync(cancellationToken);
            return null;
        }
        catch (CoveException failure)
        {
            return failure.Error.Code;
        }
    }

    /// <summary>Removes what is older than it is kept for.</summary>
    public async Task PurgeAsync()
    {
        var now = Time.GetUtcNow();
        try
        {
            await _database.WriteAsync(async session =>
            {
                var old = now - _options.Retention;
                await session.ExecuteAsync("DELETE FROM audit WHERE at < @old", ("old", old));
                await session.ExecuteAsync("DELETE FROM runs WHERE started_at < @old", ("old", old));
                await session.ExecuteAsync("DELETE FROM runs WHERE sandbox IN (SELECT id FROM sandboxes WHERE ended_at < @old)", ("old", old));
                await session.ExecuteAsync("DELETE FROM sandboxes WHERE ended_at < @old", ("old", old));
                await session.ExecuteAsync("DELETE FROM usage WHERE day < @old", ("old", old.ToUnixTimeSeconds() / 86_400));
                return await session.ExecuteAsync("DELETE FROM idempotency WHERE created_at <= @old", ("old", now - IdempotencyLife));
            });
        }
        catch (Exception failure)
        {
            _log.PurgeFailed(failure);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _purge.DisposeAsync();
        await Writer.DisposeAsync();
        _auditSpool?.Dispose();
        _sandboxSpool?.Dispose();
        await _database.DisposeAsync();
        _lock?.Dispose();
    }
}
