using System.Data.Common;

namespace Cove.Server.State;

/// <summary>Small SQL with named parameters over one connection. Values travel as parameters, never as text.</summary>
internal sealed class Session(DbConnection connection, DbTransaction? transaction, bool keepStatements = false) : IAsyncDisposable
{
    private readonly Dictionary<string, DbCommand>? _kept = keepStatements ? [] : null;

    public async Task<int> ExecuteAsync(string sql, params (string Name, object? Value)[] values)
    {
        if (_kept is not null)
        {
            return await Kept(sql, values).ExecuteNonQueryAsync();
        }

        await using var command = Command(sql, values);
        return await command.ExecuteNonQueryAsync();
    }

    public async Task<List<T>> ListAsync<T>(string sql, Func<Row, T> map, params (string Name, object? Value)[] values)
    {
        await using var command = Command(sql, values);
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<T>();
        while (await reader.ReadAsync())
        {
            rows.Add(map(new Row(reader)));
        }

        return rows;
    }

    public async Task<T?> FirstAsync<T>(string sql, Func<Row, T> map, params (string Name, object? Value)[] values)
        where T : class => (await ListAsync(sql, map, values)).FirstOrDefault();

    public async Task<long> NumberAsync(string sql, params (string Name, object? Value)[] values)
    {
        await using var command = Command(sql, values);
        return await command.ExecuteScalarAsync() is long number ? number : 0;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var command in _kept?.Values ?? Enumerable.Empty<DbCommand>())
        {
            await command.DisposeAsync();
        }
    }

    /// <summary>A statement stands in one place of this folder and names its values in one order.</summary>
    private DbCommand Kept(string sql, (string Name, object? Value)[] values)
    {
        if (!_kept!.TryGetValue(sql, out var command))
        {
            return _kept[sql] = Command(sql, values);
        }

        for (var i = 0; i < values.Length; i++)
        {
            command.Parameters[i].Value = Stored(values[i].Value);
        }

        return command;
    }

    private static object Stored(object? value) => value switch
    {
        null => DBNull.Value,
        DateTimeOffset time => time.ToUnixTimeMilliseconds(),
        int number => (long)number,
        _ => value,
    };

    private DbCommand Command(string sql, (string Name, object? Value)[] values)
    {
        var command = connection.CreateCommand();
        command.Transaction = transaction;
#pragma warning disable CA2100 // every statement is a constant of this folder
        command.CommandText = sql;
#pragma warning restore CA2100
        foreach (var (name, value) in values)
        {
            var parameter = command.CreateParameter();
            parameter.ParameterName = "@" + name; // as the statement has it: the driver would look for it without, and then with each of its marks
            parameter.Value = Stored(value);
            command.Parameters.Add(parameter);
        }

        return command;
    }
}

/// <summary>A row, by column number.</summary>
internal readonly struct Row(DbDataReader reader)
{
    public string Text(int column) => reader.GetString(column);

    public string? TextOrNull(int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    public long Number(int column) => reader.GetInt64(column);

    public long? NumberOrNull(int column) => reader.IsDBNull(column) ? null : reader.GetInt64(column);

    public DateTimeOffset Time(int column) => DateTimeOffset.FromUnixTimeMilliseconds(reader.GetInt64(column));

    public DateTimeOffset? TimeOrNull(int column) => NumberOrNull(column) is { } ms ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : null;
}
