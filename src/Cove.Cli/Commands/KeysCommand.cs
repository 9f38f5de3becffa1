using System.CommandLine;

namespace Cove.Cli.Commands;

/// <summary><c>cove keys</c>: the API keys of a server's database. Works on the database itself, whether the server runs or not.</summary>
internal static class KeysCommand
{
    public static Command Create(TimeProvider time) => new("keys", "The API keys that let callers into a server.")
    {
        KeysCreateCommand.Create(time),
        KeysListCommand.Create(time),
        KeysRevokeCommand.Create(time),
    };
}
