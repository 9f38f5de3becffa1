using Cove.Server.Access;
using Cove.Server.Hosting;
using Cove.Server.State;
using Cove.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cove.Tests.Server.State;

/// <summary>What the state promises, whichever database keeps it.</summary>
public abstract class StateSuite<TDatabase> : IAsyncLifetime
    where TDatabase : TestDatabase, new()
{
    private readonly TDatabase _database = new();
    private StateStore _state = null!;

    public async ValueTask InitializeAsync()
    {
        await _database.PrepareAsync();
        _state = await _database.OpenAsync();
        await _state.Projects.AddAsync("alpha", Now);
        await _state.Projects.AddAsync("beta", Now);
    }

    public async ValueTask DisposeAsync()
    {
        if (_state is not null)
        {
            await _state.DisposeAsync();
        }

        await _database.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private DateTimeOffset Now => _database.Time.GetUtcNow();

    [Fact]
    public async Task Answers_of_a_project_are_held_to_their_bounds_and_another_projects_are_left_alone()
    {
        var now = _state.Time.GetUtcNow();
        for (var i = 0; i < 10; i++)
        {
            await KeepAsync("alpha", i, now.AddSeconds(i));
        }

        await KeepAsync("beta", 0, now);
        await _state.Idempotency.ClaimAsync(new RequestName("alpha", "POST /", "open"), "h", _state.Node, now, now.AddDays(-1));
        await _state.Writer.AddAsync(IdempotencyTable.Trim("alpha", 8, 350));
        await _state.Writer.FlushAsync();

        // Of 100 bytes each the newest three fit; of the requests those after the newest eight are forgotten, but for the one that is in progress.
        Assert.Equal([null, null, -1, -1, -1, -1, -1, 201, 201, 201], await Task.WhenAll(Enumerable.Range(0, 10).Select(i => StatusAsync("alpha", i.ToString()))));
        Assert.Equal(201, await StatusAsync("beta", "0"));
        Assert.Null((await _state.Idempotency.ClaimAsync(new RequestName("alpha", "POST /", "open"), "h", "other", now, now.AddDays(-1)))!.Answer);

        async Task KeepAsync(string project, int number, DateTimeOffset at)
        {
            var name = new RequestName(project, "POST /", number.ToString());
            await _state.Idempotency.ClaimAsync(name, "h", _state.Node, at, at.AddDays(-1));
            await _state.Idempotency.FinishAsync(name, new StoredAnswer(201, "application/json", null, new string('x', 100)));
        }

        async Task<int?> StatusAsync(string project, string name) =>
            (await _state.Idempotency.ClaimAsync(new RequestName(project, "POST /", name), "h", "other", now, now.AddDays(-1)))?.Answer?.Status;
    }

    [Fact]
    public async Task A_run_that_was_lost_with_its_engine_belongs_to_its_sandboxs_project()
    {
        var now = _state.Time.GetUtcNow();
        await _state.Projects.AddAsync("alpha", now);
        var sandbox = await new FakeCove().CreateSandboxAsync(new SandboxRequest());
        await _state.Sandboxes.AddAsync(sandbox, "alpha", null, _state.Node);
        var run = new RunInfo { Id = RunId.New(), Sandbox = sandbox.Id, StartedAt = now, LastSequence = 2, Kernel = "python" };
        await _state.Writer.AddAsync(RunTable.Lost(run, TimeSpan.FromSeconds(2)));
        await _state.Writer.AddAsync(RunTable.Lost(run with { Sandbox = SandboxId.New() }, TimeSpan.Zero)); // nobody's
        await _state.Writer.AddAsync(RunTable.Lost(run, TimeSpan.FromSeconds(3))); // told twice
        await _state.Writer.FlushAsync();
        var row = Assert.Single(await _state.Runs.ListAsync(sandbox.Id));
        Assert.Equal(("alpha", "code", RunOutcome.InfrastructureFailure, TimeSpan.FromSeconds(2)), (row.Project, row.Kind, row.Outcome!.Value, row.Duration!.Value));
        Assert.Equal(0, _state.Writer.Lost);
    }

    [Fact]
    public async Task What_was_written_is_there_after_a_restart()
    {
        var (key, _) = await new KeyDesk(_state.Keys, _database.Time).CreateAsync(new KeyRequest { Name = "ci", Project = "gamma", Scopes = Scopes.Read, Life = TimeSpan.FromDays(1) });
        await ReopenAsync();

        var found = await _state.Keys.FindAsync(key.Id);
        Assert.Equal(("gamma", "ci", (long)Scopes.Read, key.Hash), (found!.Project, found.Name, found.Scopes, found.Hash));
        Assert.Equal(Now + TimeSpan.FromDays(1), found.ExpiresAt);
        Assert.Equal(["alpha", "beta", "gamma"], (await _state.Projects.ListAsync()).Select(p => p.Name));
    }

    [Fact]
    public async Task A_key_is_revoked_once_and_stays_so()
    {
        var desk = new KeyDesk(_state.Keys, _database.Time);
        var (key, _) = await desk.CreateAsync(new KeyRequest { Name = "a" });
        Assert.True(await _state.Keys.AnyAsync(Now));
        var first = await desk.RevokeAsync(key.Id);
        _database.Time.Advance(TimeSpan.FromMinutes(1));
        var second = await desk.RevokeAsync(key.Text);

        Assert.NotNull(first.RevokedAt);
        Assert.Equal(first.RevokedAt, second.RevokedAt);
        Assert.False(await _state.Keys.AnyAsync(Now));
        Assert.Equal("unknown_key", (await Assert.ThrowsAsync<CoveException>(() => desk.RevokeAsync("nokeyyet"))).Error.Code);
    }

    [Fact]
    public async Task A_sandbox_is_found_by_its_project_alone()
    {
        var info = await AddAsync("alpha");
        var found = await _state.Sandboxes.FindAsync(info.Id, "alpha");
        Assert.Equal(info.Metadata, found!.Metadata);
        Assert.Equal(info with { Metadata = null, Isolation = null! }, found with { Metadata = null, Isolation = null! });
        Assert.Null(await _state.Sandboxes.FindAsync(info.Id, "beta"));
        Assert.Null(await _state.Sandboxes.FindAsync(new SandboxId("snone"), "alpha"));
    }

    [Fact]
    public async Task What_was_alive_when_the_server_died_is_accounted_for_and_nothing_else()
    {
        await _state.BeginServingAsync();
        var alive = await AddAsync("alpha");
        var ended = await AddAsync("alpha");
        await WriteAsync(SandboxTable.Ended(ended with { State = SandboxState.Ended, EndReason = SandboxEndReason.IdleTimeout }, Now));
        var elsewhere = Info();
        await _state.Sandboxes.AddAsync(elsewhere, "alpha", null, "another-node");

        await ReopenAsync();
        await _state.BeginServingAsync();

        Assert.Equal((SandboxState.Ended, SandboxEndReason.EngineLost), await StateOfAsync(alive.Id));
        Assert.Equal((SandboxState.Ended, SandboxEndReason.IdleTimeout), await StateOfAsync(ended.Id));
        Assert.Equal((SandboxState.Ready, null), await StateOfAsync(elsewhere.Id));
        Assert.Equal([alive.Id, ended.Id], (await _state.Sandboxes.ListEndedAsync("alpha", default, "", 10)).Select(s => s.Id).OrderBy(id => id != alive.Id));
    }

    [Fact]
    public async Task Sandboxes_that_a_killed_server_had_noted_are_accounted_for_by_the_next_though_the_database_had_not_heard_of_them()
    {
        await _state.BeginServingAsync();
        var ended = Info();
        await _state.AddSandboxAsync(ended, "alpha", null);
        await WriteAsync(SandboxTable.Ended(ended with { State = SandboxState.Ended, EndReason = SandboxEndReason.Deleted }, Now));
        Assert.All(_database.SandboxSpools, file => Assert.Equal((0, UnixFileMode.UserRead | UnixFileMode.UserWrite), (new FileInfo(file).Length, File.GetUnixFileMode(file))));
        var (unwritten, nobodys) = (Info(), Info());

        await ReopenAsync();
        using (var spool = new RowSpool<SandboxRow>(_database.Directory, "sandboxes", SpoolJson.Default.SandboxRow, NullLogger.Instance))
        {
            Assert.NotNull(spool.Take(SandboxTable.Row(nobodys, "gone", null, _state.Node))); // it can't be brought in, and takes no other along
            Assert.All(new[] { ended, unwritten }, info => Assert.NotNull(spool.Take(SandboxTable.Row(info, "alpha", "k1", _state.Node))));
        }

        Assert.Null(await _state.Sandboxes.FindAsync(unwritten.Id, "alpha"));
        await _state.BeginServingAsync();

        Assert.Equal((SandboxState.Ended, SandboxEndReason.Deleted), await StateOfAsync(ended.Id));
        Assert.Equal((SandboxState.Ended, SandboxEndReason.EngineLost), await StateOfAsync(unwritten.Id));
        Assert.Equal([ended.Id, unwritten.Id], (await _state.Sandboxes.ListEndedAsync("alpha", default, "", 10)).Select(s => s.Id).OrderBy(id => id != ended.Id));
    }

    [Fact]
    public async Task A_new_sandbox_is_in_the_database_when_nothing_else_has_taken_it()
    {
        var info = Info(); // before it serves there is no spool
        await _state.AddSandboxAsync(info, "alpha", null);
        Assert.Equal((SandboxState.Ready, null), await StateOfAsync(info.Id));
    }

    [Fact]
    public async Task Two_servers_do_not_share_a_data_directory()
    {
        await _state.BeginServingAsync();
        await using var second = await _database.OpenAsync();
        Assert.Equal("state_in_use", (await Assert.ThrowsAsync<CoveException>(() => second.BeginServingAsync())).Error.Code);
    }

    [Fact]
    public async Task Runs_and_audit_rows_are_written_behind_and_flushed()
    {
        var sandbox = await AddAsync("alpha");
        var run = new StoredRun { Id = RunId.New(), Sandbox = sandbox.Id, Project = "alpha", Kind = "code", StartedAt = Now, EndedAt = Now, Outcome = RunOutcome.Ok, Duration = TimeSpan.FromMilliseconds(7) };
        for (var i = 0; i < 2000; i++)
        {
            await _state.Writer.AddAsync(AuditTable.Add(new AuditRow { At = Now, Operation = "run", Status = 200, Run = "r" + i }));
        }

        await _state.Writer.AddAsync(RunTable.Put(run));
        await _state.Writer.FlushAsync();

        Assert.Equal(run, Assert.Single(await _state.Runs.ListAsync(sandbox.Id)));
        var rows = await _state.Audit.ListAsync(5000);
        Assert.Equal(Enumerable.Range(0, 2000).Select(i => "r" + i).Reverse(), rows.Select(r => r.Run!));
    }

    [Fact]
    public async Task Audit_rows_that_a_killed_server_had_taken_are_brought_in_by_the_next_and_none_twice()
    {
        await _state.BeginServingAsync();
        var row = new AuditRow { At = Now.AddTicks(7), Operation = "deleteSandbox", Status = 204, Project = "alpha", Remote = "::1", Correlation = "c\n\"ü" };
        await _state.AuditAsync(row);
        await _state.AuditAsync(row with { Operation = "run", Outcome = "ok" });
        await ReopenAsync();
        Assert.All(_database.Spools, file => Assert.Equal((0, UnixFileMode.UserRead | UnixFileMode.UserWrite), (new FileInfo(file).Length, File.GetUnixFileMode(file))));

        // As a kill would have left it: of four that were taken, two equal ones among them, one had been committed; the fifth is torn.
        using (var spool = new RowSpool<AuditRow>(_database.Directory, "audit", SpoolJson.Default.AuditRow, NullLogger.Instance))
        {
            Assert.All(new[] { row with { Operation = "run", Outcome = "ok" }, row with { Operation = "later", At = row.At.AddSeconds(1) }, row with { Status = 404 }, row with { Status = 404 } }, taken => Assert.NotNull(spool.Take(taken)));
        }

        await File.AppendAllTextAsync(_database.Spools[0], "{\"At\":\"2026-01-01T00:00:00+00:00\",\"Oper");
        await _state.BeginServingAsync();
        Assert.Equal([("deleteSandbox", 204), ("run", 204), ("deleteSandbox", 404), ("deleteSandbox", 404), ("later", 204)], (await _state.Audit.ListAsync(10)).AsEnumerable().Reverse().Select(r => (r.Operation, r.Status)));
        await ReopenAsync();
        await _state.BeginServingAsync();
        Assert.Equal(5, (await _state.Audit.ListAsync(10)).Count);
    }

    [Fact]
    public async Task One_row_that_can_not_be_written_takes_no_other_along()
    {
        await _state.Writer.AddAsync(AuditTable.Add(new AuditRow { At = Now, Operation = "before", Status = 200 }));
        await _state.Writer.AddAsync(SandboxTable.Add(SandboxTable.Row(Info(), "none", null, _state.Node)));
        await _state.Writer.AddAsync(RunTable.Put(new StoredRun { Id = RunId.New(), Sandbox = new SandboxId("snone"), Project = "alpha", Kind = "code", StartedAt = Now })); // nobody's, which is no failure
        await _state.Writer.AddAsync(AuditTable.Add(new AuditRow { At = Now, Operation = "after", Status = 200 }));
        await _state.Writer.FlushAsync();

        Assert.Equal(["after", "before"], (await _state.Audit.ListAsync(10)).Select(r => r.Operation));
        Assert.Equal(1, _state.Writer.Lost);
    }

    [Fact]
    public async Task What_is_queued_at_the_end_is_written()
    {
        await _state.Writer.AddAsync(AuditTable.Add(new AuditRow { At = Now, Operation = "last", Status = 200 }));
        await ReopenAsync();
        Assert.Equal("last", Assert.Single(await _state.Audit.ListAsync(10)).Operation);
    }

    [Fact]
    public async Task Old_rows_are_removed_and_young_ones_stay()
    {
        var old = await AddAsync("alpha");
        await WriteAsync(RunTable.Put(new StoredRun { Id = RunId.New(), Sandbox = old.Id, Project = "alpha", Kind = "code", StartedAt = Now }));
        await WriteAsync(SandboxTable.Ended(old with { State = SandboxState.Ended, EndReason = SandboxEndReason.Deleted }, Now));
        await WriteAsync(AuditTable.Add(new AuditRow { At = Now, Operation = "old", Status = 200 }));
        var alive = await AddAsync("alpha");
        _database.Time.Advance(TimeSpan.FromDays(91));
        await WriteAsync(AuditTable.Add(new AuditRow { At = Now, Operation = "young", Status = 200 }));

        await _state.PurgeAsync();

        Assert.Null(await _state.Sandboxes.FindAsync(old.Id, "alpha"));
        Assert.NotNull(await _state.Sandboxes.FindAsync(alive.Id, "alpha"));
        Assert.Empty(await _state.Runs.ListAsync(old.Id));
        Assert.Equal("young", Assert.Single(await _state.Audit.ListAsync(10)).Operation);
    }

    [Fact]
    public async Task Processor_time_adds_up_by_project_and_day()
    {
        await Task.WhenAll(Enumerable.Range(0, 50).Select(async _ => await _state.Writer.AddAsync(ProjectTable.ChargeCpu("alpha", 20_000, 10))));
        await WriteAsync(ProjectTable.ChargeCpu("alpha", 20_001, 3));
        Assert.Equal((500, 3, 0), (await _state.Projects.CpuAsync("alpha", 20_000), await _state.Projects.CpuAsync("alpha", 20_001), await _state.Projects.CpuAsync("beta", 20_000)));
    }

    [Fact]
    public async Task A_project_keeps_the_quotas_of_its_own()
    {
        var own = new StoredProject("alpha") { MaxSandboxes = 3, CpuSecondsPerDay = 9 };
        Assert.True(await _state.Projects.SetAsync(own));
        Assert.False(await _state.Projects.SetAsync(new StoredProject("none")));
        Assert.Equal(own, await _state.Projects.FindAsync("alpha"));
    }

    [Fact]
    public async Task A_named_request_is_claimed_by_one_of_many()
    {
        var name = new RequestName("alpha", "/v1/sandboxes", "k");
        var claims = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => _state.Idempotency.ClaimAsync(name, "hash", _state.Node, Now, Now - TimeSpan.FromDays(1))));
        Assert.Single(claims, claim => claim is null);
        await _state.Idempotency.FinishAsync(name, new StoredAnswer(201, "application/json", "/x", "{}"));
        var known = await _state.Idempotency.ClaimAsync(name, "hash", _state.Node, Now, Now - TimeSpan.FromDays(1));
        Assert.Equal(new StoredAnswer(201, "application/json", "/x", "{}"), known!.Answer);

        _database.Time.Advance(TimeSpan.FromHours(25));
        Assert.Null(await _state.Idempotency.ClaimAsync(name, "other", _state.Node, Now, Now - TimeSpan.FromDays(1)));
    }

    [Fact]
    public async Task A_database_of_a_newer_build_is_refused_and_left_as_it_is()
    {
        await using (var database = await Database.OpenAsync(Dialect.Of(_database.Options)))
        {
            await Migrations.ApplyAsync(database, [.. Migrations.Steps, "CREATE TABLE later (x BIGINT)"]);
        }

        var failure = await Assert.ThrowsAsync<CoveException>(_database.OpenAsync);
        Assert.Equal("state_newer", failure.Error.Code);
        Assert.Contains($"version {Migrations.Steps.Count + 1}", failure.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_migration_that_fails_changes_nothing()
    {
        await using (var database = await Database.OpenAsync(Dialect.Of(_database.Options)))
        {
            await Assert.ThrowsAnyAsync<System.Data.Common.DbException>(() => Migrations.ApplyAsync(database, [.. Migrations.Steps, "CREATE TABLE later (x BIGINT); CREATE TABLE keys (x BIGINT)"]));
            Assert.Equal(Migrations.Steps.Count, await database.ReadAsync(session => session.NumberAsync("SELECT MAX(version) FROM schema_version")));
            await Migrations.ApplyAsync(database, [.. Migrations.Steps, "CREATE TABLE later (x BIGINT)"]);
        }
    }

    [Fact]
    public async Task Many_that_open_a_new_database_at_once_make_one_schema()
    {
        await using var fresh = new TDatabase();
        await fresh.PrepareAsync();
        var opened = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(fresh.OpenAsync)));
        Assert.Single(opened.Select(state => state.Node).Distinct());
        foreach (var state in opened)
        {
            await state.DisposeAsync();
        }
    }

    private async Task ReopenAsync()
    {
        await _state.DisposeAsync();
        _state = await _database.OpenAsync();
    }

    private async Task WriteAsync(Func<Session, Task> write)
    {
        await _state.Writer.AddAsync(write);
        await _state.Writer.FlushAsync();
    }

    private async Task<SandboxInfo> AddAsync(string project)
    {
        var info = Info();
        await _state.Sandboxes.AddAsync(info, project, null, _state.Node);
        return info;
    }

    private async Task<(SandboxState, SandboxEndReason?)> StateOfAsync(SandboxId id)
    {
        var found = await _state.Sandboxes.FindAsync(id, "alpha");
        return (found!.State, found.EndReason);
    }

    private SandboxInfo Info() => new()
    {
        Id = SandboxId.New(),
        Template = "base",
        State = SandboxState.Ready,
        Limits = new SandboxLimits(),
        Isolation = FakeCove.Tier,
        Metadata = new Dictionary<string, string> { ["job"] = "a\0b é" },
        CreatedAt = Now,
        ExpiresAt = Now + TimeSpan.FromHours(1),
        IdleTimeout = TimeSpan.FromMinutes(10),
    };
}

public sealed class SqliteState : StateSuite<SqliteDatabase>
{
    [Fact]
    public async Task The_file_and_its_directory_are_their_owners_alone()
    {
        await using var database = new SqliteDatabase();
        await using var state = await database.OpenAsync();
        await state.Projects.AddAsync("p", default);
        const UnixFileMode others = (UnixFileMode)0x3F;
        Assert.All(Directory.GetFiles(database.Directory, "cove.db*"), file => Assert.Equal(default, File.GetUnixFileMode(file) & others));
        Assert.Equal(default, File.GetUnixFileMode(database.Directory) & others);
    }

    [Fact]
    public async Task A_directory_that_others_may_enter_is_refused()
    {
        using var directory = new TemporaryDirectory();
        File.SetUnixFileMode(directory.Path, (UnixFileMode)0x1ED);
        var failure = await Assert.ThrowsAsync<CoveException>(() => StateStore.OpenAsync(new StateOptions { DataDirectory = directory.Path }, NullLogger.Instance));
        Assert.Equal("state_not_private", failure.Error.Code);
    }

    [Fact]
    public async Task A_file_that_is_no_database_is_refused_with_its_name()
    {
        await using var database = new SqliteDatabase();
        Directory.CreateDirectory(database.Directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await File.WriteAllTextAsync(Path.Combine(database.Directory, "cove.db"), new string('x', 5000));
        var failure = await Assert.ThrowsAsync<CoveException>(database.OpenAsync);
        Assert.Equal("state_unusable", failure.Error.Code);
        Assert.Contains("cove.db", failure.Error.Message, StringComparison.Ordinal);
    }
}

public sealed class PostgresState : StateSuite<PostgresDatabase>
{
    [Theory]
    [InlineData("nonsense")]
    [InlineData("Host=a;Unknown=1;Password=hunter2")]
    public void A_connection_string_that_is_none_is_refused_without_being_repeated(string connection)
    {
        var failure = Assert.Throws<CoveException>(() => Dialect.Of(new StateOptions { DataDirectory = "/x", Database = connection }));
        Assert.Equal("invalid_option", failure.Error.Code);
        Assert.DoesNotContain(connection, failure.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_uri_is_a_connection_string_too()
    {
        var dialect = Dialect.Of(new StateOptions { DataDirectory = "/x", Database = "postgresql://me:p%40ss@db.example:6543/cove?sslmode=require" });
        Assert.Equal("postgresql://db.example:6543/cove", dialect.Place);
    }
}
