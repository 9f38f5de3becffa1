using Cove.Cli.Warm;
using Cove.Engine;
using Cove.Server.Hosting;

namespace Cove.Cli.Serving;

/// <summary>A server's data directory: its user's alone, and one server's at a time.</summary>
internal sealed class DataDirectory : IDisposable
{
    private const uint OthersMask = 0x3F; // rwxrwx of group and others
    private readonly string _path;
    private readonly FileStream _lock;

    private DataDirectory(string path, FileStream held) => (_path, _lock) = (path, held);

    /// <summary>Makes it when it is missing, and holds it until this is disposed or the process ends.</summary>
    public static DataDirectory Take(string path)
    {
        var user = Libc.EffectiveUser();
        try
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw Errors.Host("data_directory", $"The data directory {path} can't be made: {failure.Message}", "Name one that this user may make, with --data or COVE_DATA.", failure);
        }

        // Root finds it as the service user of the last start left it; for everybody else it must be their own.
        if (Libc.Stat(path) is not { } stat || (user != 0 && stat.User != user) || (stat.Mode & OthersMask) != 0)
        {
            throw Errors.Host("data_directory", $"The data directory {path} can't be trusted: it is not this user's alone.", $"Make it so (chown, chmod 700 {path}), or name another with --data or COVE_DATA.");
        }

        return FileLock.TryTake(Path.Combine(path, "server.lock")) is { } held
            ? new DataDirectory(path, held)
            : throw Errors.Host("data_directory_in_use", $"Another server works with the data directory {path}.", "Stop that one, or name another directory with --data or COVE_DATA.");
    }

    /// <summary>Hands the directory to the service user and becomes it, when this process is root.</summary>
    public void GiveUpRoot(SandboxEngine engine, CoveServer server)
    {
        if (LocalEngine.ServiceUser(engine) is not { } user)
        {
            return;
        }

        RequireReachable();
        // Whatever another user put there is not handed on: a name of theirs could be a link to a file of root's.
        uint[] known = [0, Libc.Stat(_path)!.Value.User];
        Hand(_path, (uint)user, known);
        foreach (var entry in Directory.EnumerateFileSystemEntries(_path, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = false }))
        {
            Hand(entry, (uint)user, known);
        }

        LocalEngine.DropPrivileges(engine);
        server.NoteUser(user);
    }

    public void Dispose() => _lock.Dispose();

    private static void Hand(string path, uint user, uint[] known)
    {
        if (Libc.Stat(path) is { } stat && !known.Contains(stat.User))
        {
            throw Errors.Host("data_directory", $"{path} belongs to user id {stat.User}, neither root nor whom the data directory belonged to.", "Look at what it is and remove it.");
        }

        if (Libc.ChangeOwner(Libc.AtCwd, path, user, user, Libc.SymlinkNoFollow) != 0)
        {
            throw Errors.Host("data_directory", $"{path} can't be handed to the user id {user}, which the server runs as.", "Put the data directory on a disk that keeps owners (--data).");
        }
    }

    /// <summary>The service user must be able to walk to it.</summary>
    private void RequireReachable()
    {
        for (var at = Directory.GetParent(_path); at is not null; at = at.Parent)
        {
            if (!at.UnixFileMode.HasFlag(UnixFileMode.OtherExecute))
            {
                throw Errors.Host("data_directory", $"The server gives up root, and {at.FullName} lets no other user through to the data directory {_path}.", $"Name a directory that all can reach, such as /var/lib/cove (--data), or allow passing: chmod o+x {at.FullName}");
            }
        }
    }
}
