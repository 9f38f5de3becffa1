using System.CommandLine;
using Cove.Server.Settings;
using Cove.Server.State;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cove.Cli.Commands;

/// <summary>The options by which a verb finds a server's database; the same sources as those of <c>cove serve</c>.</summary>
internal sealed class StateOptionSet
{
    private readonly Option<string?> _data = new("--data") { Description = "The server's data directory. Default: as for cove serve. [COVE_DATA]", HelpName = "DIRECTORY" };
    private readonly Option<string?> _database = new("--database") { Description = "The server's PostgreSQL, without a password, since a command line can be read by others (give one in COVE_DATABASE). Default: SQLite in the data directory.", HelpName = "CONNECTION" };
    private readonly Option<string?> _config = new("--config") { Description = "The server's configuration file. [COVE_CONFIG]", HelpName = "FILE" };

    public void AddTo(Command command)
    {
        command.Options.Add(_data);
        command.Options.Add(_database);
        command.Options.Add(_config);
    }

    /// <summary>The settings of the server that these options and this environment name.</summary>
    public ServerOptions Read(ParseResult parsed)
    {
        var flags = parsed.GetValue(_data) is { } data ? new Dictionary<string, string> { ["data"] = data } : [];
        var options = new SettingsReader(Environment.GetEnvironmentVariable, Environment.IsPrivilegedProcess).Read(flags, parsed.GetValue(_config));
        return options with { Database = parsed.GetValue(_database) ?? options.Database };
    }

    /// <summary>Opens the database; makes it when it is missing.</summary>
    public Task<StateStore> OpenAsync(ParseResult parsed, TimeProvider time)
    {
        var options = Read(parsed);
        return StateStore.OpenAsync(new StateOptions { DataDirectory = options.DataDirectory, Database = options.Database, Time = time }, NullLogger.Instance);
    }

    /// <summary>Opens a database that is there: who looks in a wrong place is told so, and leaves nothing behind in it.</summary>
    public Task<StateStore> OpenExistingAsync(ParseResult parsed, TimeProvider time)
    {
        var options = Read(parsed);
        return options.Database is not null || Directory.Exists(options.DataDirectory) && File.Exists(Path.Combine(options.DataDirectory, StateOptions.SqliteFile))
            ? OpenAsync(parsed, time)
            : throw StateErrors.NoDatabase(options.DataDirectory);
    }
}
