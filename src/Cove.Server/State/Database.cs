using System.Data.Common;

namespace Cove.Server.State;

/// <summary>Reads and write transactions of one database; the schema is brought up to date when it is opened.</summary>
internal sealed class Database : IAsyncDisposable
{
    private readonly Dialect _dialect;
    private readonly DbDataSource _source;

    // Within a process writers queue here in order; SQLite itself would let them poll for the lock.
    private readonly SemaphoreSlim _writers;

    private Database(Dialect dialect, DbDataSource source)
    {
        (_dialect, _source) = (dialect, source);
        _writers = new SemaphoreSlim(dialect.Writers);
    }

    public Dialect Dialect => _dialect;

    public static async Task<Database> OpenAsync(Dialect dialect)
    {
        Database? opened = null;
        try
        {
            opened = new Database(dialect, dialect.Open());
            await Migrations.ApplyAsync(opened);
            return opened;
        }
        catch (Exception failure)
        {
            if (opened is not null)
            {
                await opened.DisposeAsync();
            }

            if (failure is DbException or IOException or UnauthorizedAccessException)
            {
                throw StateErrors.Unusable(dialect.Place, failure);
            }

            throw;
        }
    }

    /// <summary>Reads; what the database refuses becomes <c>state_unavailable</c>, so that a caller is never let in because a question had no answer.</summary>
    public async Task<T> ReadAsync<T>(Func<Session, Task<T>> read)
    {
        try
        {
            await using var connection = await ConnectAsync();
            return await read(new Session(connection, null));
        }
        catch (DbException failure)
        {
            throw StateErrors.Unavailable(failure);
        }
    }

    /// <summary>Writes in a transaction that is committed when this returns; <paramref name="durably"/>: on the disk, too.</summary>
    public async Task<T> WriteAsync<T>(Func<Session, Task<T>> write, bool durably = false)
    {
        try
        {
            return await TransactAsync(write, durably);
        }
        catch (DbException failure)
        {
            throw StateErrors.Unavailable(failure);
        }
    }

    /// <summary>Writes with one statement, which is a transaction of its own; committed when this returns.</summary>
    public async Task<int> WriteAsync(string sql, params (string Name, object? Value)[] values)
    {
        await _writers.WaitAsync();
        try
        {
            await using var connection = await ConnectAsync();
            return await new Session(connection, null).ExecuteAsync(sql, values);
        }
        catch (DbException failure)
        {
            throw StateErrors.Unavailable(failure);
        }
        finally
        {
            _writers.Release();
        }
    }

    /// <summary>As <see cref="WriteAsync{T}"/>, with the database's own exceptions, for whoever can tell them apart.</summary>
    public Task<T> TransactAsync<T>(Func<Session, Task<T>> write, bool durably = false) => TransactAsync(write, durably, many: false);

    /// <summary>Likewise, of many statements that are few different ones: where it helps, each is prepared once.</summary>
    public Task<T> TransactManyAsync<T>(Func<Session, Task<T>> write) => TransactAsync(write, durably: false, many: _dialect.KeepsStatements);

    private async Task<T> TransactAsync<T>(Func<Session, Task<T>> write, bool durably, bool many)
    {
        await _writers.WaitAsync();
        try
        {
            await using var connection = await ConnectAsync();
            if (durably && _dialect.Durably is { } setting)
            {
                await new Session(connection, null).ExecuteAsync(setting);
            }

            try
            {
                await using var transaction = await connection.BeginTransactionAsync();
                await using var session = new Session(connection, transaction, many);
                var result = await write(session);
                await transaction.CommitAsync();
                return result;
            }
            finally
            {
                if (durably)
                {
                    await TakeBackAsync(connection);
                }
            }
        }
        finally
        {
            _writers.Release();
        }
    }

    /// <summary>What was committed is not called failed because a setting stays: the connection then goes on being durable, and slower.</summary>
    private async Task TakeBackAsync(DbConnection connection)
    {
        try
        {
            if (_dialect.Greeting is { } greeting)
            {
                await new Session(connection, null).ExecuteAsync(greeting);
            }
        }
        catch (DbException)
        {
            // The next durable write tries again.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        if (_dialect is SqliteDialect)
        {
            // The pool holds the file open; nothing of another database is in it that would not be opened again.
            Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        }

        _writers.Dispose();
    }

    private async Task<DbConnection> ConnectAsync()
    {
        var connection = await _source.OpenConnectionAsync();
        try
        {
            if (_dialect.Greeting is { } greeting && _dialect.IsNew(connection))
            {
                await new Session(connection, null).ExecuteAsync(greeting);
            }

            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}
