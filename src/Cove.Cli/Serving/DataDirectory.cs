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

        if (user == 0)
        {
            RequireKnown(path, stat.User);
        }

        return FileLock.TryTake(Server.State.DataDirectory.LockOf(path)) is { } held
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
        Hand(_path, (uint)user);
        foreach (var entry in Entries(_path, FileAttributes.ReparsePoint))
        {
            Hand(entry, (uint)user);
        }

        LocalEngine.DropPrivileges(engine);
        server.NoteUser(user);
    }

    public void Dispose() => _lock.Dispose();

    private static IEnumerable<string> Entries(string path, FileAttributes skip) =>
        Directory.EnumerateFileSystemEntries(path, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = skip, IgnoreInaccessible = false });

    /// <summary>Root opens files here before it becomes the service user: a link, or anything of a third user's, must not lead it elsewhere.</summary>
    private static void RequireKnown(string path, uint owner)
    {
        const uint TypeMask = 0xF000;
        foreach (var entry in Entries(path, FileAttributes.None))
        {
            if (Libc.Stat(entry) is { } stat && ((stat.User != 0 && stat.User != owner) || (stat.Mode & TypeMask) is not (0x8000 or 0x4000)))
            {
                throw Errors.Host("data_directory", $"{entry} is no file or directory of this server's: it is a link, or belongs to another user (id {stat.User}).", "Look at what it is and remove it.");
            }
        }
    }

    private static void Hand(string path, uint user)
    {
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
