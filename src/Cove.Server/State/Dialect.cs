using System.Data.Common;
using System.Runtime.CompilerServices;
using Microsoft.Data.Sqlite;
using Npgsql;

namespace Cove.Server.State;

/// <summary>All that differs between the two databases.</summary>
internal abstract class Dialect
{
    /// <summary>The type of a primary key that counts up.</summary>
    public abstract string Counter { get; }

    /// <summary>How many transactions may write at once.</summary>
    public abstract int Writers { get; }

    /// <summary>Named in errors; holds no password.</summary>
    public abstract string Place { get; }

    public abstract DbDataSource Open();

    /// <summary>Said to every new connection before it is used; null: nothing.</summary>
    public virtual string? Greeting => null;

    /// <summary>Said before a transaction that must outlive a power cut, and taken back behind it by the greeting; null: nothing.</summary>
    public virtual string? Durably => null;

    /// <summary>Whether a connection was not greeted yet. Asked once for each: what a pool hands out again knows its settings.</summary>
    public virtual bool IsNew(DbConnection connection) => true;

    /// <summary>Whether a statement that is executed again is better kept: SQLite translates it anew each time, PostgreSQL's client keeps its own.</summary>
    public virtual bool KeepsStatements => false;

    /// <summary>Taken at the begin of a migration, so that two processes don't migrate at once.</summary>
    public virtual string? MigrationLock => null;

    /// <summary>Whether the same statement may succeed when it is repeated.</summary>
    public abstract bool IsPassing(Exception failure);

    public static Dialect Of(StateOptions options) =>
        options.Database is { } connection ? new PostgresDialect(connection) : new SqliteDialect(Path.Combine(options.DataDirectory, StateOptions.SqliteFile));
}

/// <summary>SQLite in one file. Write-ahead log: readers never wait for the writer; of writers there is one at a time.</summary>
internal sealed class SqliteDialect(string file) : Dialect
{
    // Settings belong to SQLite's own connection, which is pooled beneath the one of .NET.
    private readonly ConditionalWeakTable<object, object> _greeted = [];

    public override string Counter => "INTEGER PRIMARY KEY AUTOINCREMENT";

    public override int Writers => 1;

    public override string Place => file;

    // NORMAL: what was committed survives the death of the process, not a power cut; the journal promises no more.
    public override string Greeting => "PRAGMA busy_timeout = 5000; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;";

    public override string Durably => "PRAGMA synchronous = FULL;";

    public override bool KeepsStatements => true;

    public override bool IsNew(DbConnection connection) => ((SqliteConnection)connection).Handle is { } handle && _greeted.TryAdd(handle, handle);

    public override DbDataSource Open()
    {
        SqliteLibrary.Require();
        if (!File.Exists(file))
        {
            // Made here, so that it is never readable for others, not even for a moment; its log takes the same mode.
            new FileStream(file, new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }).Dispose();
        }

        var connection = new SqliteConnectionStringBuilder { DataSource = file, Mode = SqliteOpenMode.ReadWrite, Cache = SqliteCacheMode.Private, DefaultTimeout = 10 };
        var source = SqliteFactory.Instance.CreateDataSource(connection.ToString());
        using var first = source.OpenConnection();
        using var command = first.CreateCommand();
        command.CommandText = "PRAGMA journal_mode = WAL";
        command.ExecuteNonQuery();
        return source;
    }

    public override bool IsPassing(Exception failure) => failure is SqliteException { SqliteErrorCode: 5 or 6 };
}

/// <summary>PostgreSQL by connection string.</summary>
internal sealed class PostgresDialect(string connection) : Dialect
{
    private readonly NpgsqlConnectionStringBuilder _builder = Parse(connection);

    public override string Counter => "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY";

    public override int Writers => 8;

    public override string Place => $"postgresql://{_builder.Host}:{_builder.Port}/{_builder.Database}";

    public override string MigrationLock => "SELECT pg_advisory_xact_lock(4850291047)";

    public override DbDataSource Open() => new NpgsqlDataSourceBuilder(_builder.ConnectionString).Build();

    public override bool IsPassing(Exception failure) => failure is DbException { IsTransient: true };

    private static NpgsqlConnectionStringBuilder Parse(string connection)
    {
        try
        {
            return Uri.TryCreate(connection, UriKind.Absolute, out var uri) && uri.Scheme is "postgresql" or "postgres" ? FromUri(uri) : new NpgsqlConnectionStringBuilder(connection);
        }
        catch (Exception failure) when (failure is ArgumentException or FormatException or KeyNotFoundException)
        {
            // The value itself may hold a password and is not repeated.
            throw StateErrors.InvalidOption("database", "…", "a PostgreSQL connection string, for example 'Host=127.0.0.1;Username=cove;Database=cove', or postgresql://cove@127.0.0.1/cove");
        }
    }

    private static NpgsqlConnectionStringBuilder FromUri(Uri uri)
    {
        var user = uri.UserInfo.Split(':', 2);
        var builder = new NpgsqlConnectionStringBuilder { Host = uri.Host, Port = uri.IsDefaultPort ? 5432 : uri.Port, Database = Uri.UnescapeDataString(uri.AbsolutePath.TrimStart('/')) };
        builder.Username = user[0].Length > 0 ? Uri.UnescapeDataString(user[0]) : null;
        builder.Password = user.Length > 1 ? Uri.UnescapeDataString(user[1]) : null;
        foreach (var pair in uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var (name, value) = pair.Split('=', 2) is [var n, var v] ? (n, v) : (pair, "");
            builder[name == "sslmode" ? "SSL Mode" : name] = Uri.UnescapeDataString(value);
        }

        return builder;
    }
}
