using Cove.Server.State;
using Cove.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace Cove.Tests.Server.State;

/// <summary>A database of one test's own, in either kind.</summary>
public abstract class TestDatabase : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = new();

    internal FakeTimeProvider Time { get; } = new();

    internal string Directory => Path.Combine(_directory.Path, "data");

    /// <summary>Where audit rows are on their way into it.</summary>
    internal IReadOnlyList<string> SandboxSpools => [Path.Combine(Directory, "sandboxes.0.jsonl"), Path.Combine(Directory, "sandboxes.1.jsonl")];

    internal IReadOnlyList<string> Spools => [Path.Combine(Directory, "audit.0.jsonl"), Path.Combine(Directory, "audit.1.jsonl")];

    internal abstract string? Connection { get; }

    internal StateOptions Options => new() { DataDirectory = Directory, Database = Connection, Time = Time };

    internal Task<StateStore> OpenAsync() => StateStore.OpenAsync(Options, NullLogger.Instance);

    /// <summary>Ready for use; skips the test when the machine has no such database.</summary>
    public abstract Task PrepareAsync();

    public virtual ValueTask DisposeAsync()
    {
        _directory.Dispose();
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }
}

/// <summary>SQLite in a temporary directory.</summary>
public sealed class SqliteDatabase : TestDatabase
{
    internal override string? Connection => null;

    public override Task PrepareAsync() => Task.CompletedTask;
}

/// <summary>A database of its own in the PostgreSQL that COVE_TEST_POSTGRES names.</summary>
public sealed class PostgresDatabase : TestDatabase
{
    public const string Variable = "COVE_TEST_POSTGRES";
    private readonly string _name = "cove_test_" + Guid.NewGuid().ToString("N");
    private string? _server;

    internal override string? Connection => new NpgsqlConnectionStringBuilder(_server) { Database = _name, MaxPoolSize = 20 }.ConnectionString;

    public override async Task PrepareAsync()
    {
        var server = Environment.GetEnvironmentVariable(Variable);
        Assert.SkipWhen(string.IsNullOrEmpty(server), $"{Variable} names no PostgreSQL; ./test starts one.");
        _server = server;
        await ExecuteAsync($"CREATE DATABASE {_name}");
    }

    public override async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            NpgsqlConnection.ClearAllPools();
            await ExecuteAsync($"DROP DATABASE IF EXISTS {_name} WITH (FORCE)");
        }

        await base.DisposeAsync();
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(_server) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
#pragma warning disable CA2100 // the name is made above
        command.CommandText = sql;
#pragma warning restore CA2100
        await command.ExecuteNonQueryAsync();
    }
}
