namespace Cove.Cli.Warm;

/// <summary>
/// The files of one engine. The name carries the build and the protections that may be missing: an engine of another build, or one that was allowed less,
/// is never mistaken for the one that is wanted.
/// </summary>
internal sealed record EnginePlace(string Directory, string Build, IReadOnlyList<string> AllowDegraded)
{
    /// <summary>What <c>sun_path</c> holds, its terminator taken off.</summary>
    private const int MaximumSocketPath = 107;

    private string Stem => "engine-" + Build + string.Concat(AllowDegraded.Select(name => "-no-" + name));

    public string Socket => Path.Combine(Directory, Stem + ".sock");

    /// <summary>Held by the engine for as long as it lives.</summary>
    public string LifeLock => Path.Combine(Directory, Stem + ".lock");

    /// <summary>Held by the command that starts one.</summary>
    public string StartLock => Path.Combine(Directory, Stem + ".start");

    /// <summary>The user an engine dropped to; there only when it did.</summary>
    public string User => Path.Combine(Directory, Stem + ".user");

    public static EnginePlace For(IEnumerable<string> allowDegraded)
    {
        var place = new EnginePlace(PrivateDirectory.Runtime(), BuildStamp.Read(), [.. allowDegraded.Distinct().Order(StringComparer.Ordinal)]);
        return System.Text.Encoding.UTF8.GetByteCount(place.Socket) <= MaximumSocketPath
            ? place
            : throw Errors.Host("socket_path", $"The path {place.Socket} is longer than a socket's may be ({MaximumSocketPath} bytes).", "Set XDG_RUNTIME_DIR to a shorter directory of yours.");
    }

    /// <summary>The sockets of all engines of this user.</summary>
    public static IReadOnlyList<string> Sockets(string directory) =>
        [.. System.IO.Directory.EnumerateFiles(directory, "engine-*.sock").Order(StringComparer.Ordinal)];

    /// <summary>The sockets that engines of this user have or once had: an engine that was killed, or gave up root, leaves some of its files.</summary>
    public static IReadOnlyList<string> Known(string directory) =>
        [.. Sockets(directory).Concat(System.IO.Directory.EnumerateFiles(directory, "engine-*.lock").Select(path => Path.ChangeExtension(path, ".sock"))).Distinct()];

    /// <summary>Removes the files of an engine that is gone; false when it lives, or is being started.</summary>
    public static bool Forget(string socket)
    {
        using var starting = FileLock.TryTake(Path.ChangeExtension(socket, ".start"));
        using var living = starting is null ? null : FileLock.TryTake(Path.ChangeExtension(socket, ".lock"));
        if (living is null)
        {
            return false;
        }

        foreach (var ending in new[] { ".sock", ".user", ".start", ".lock" })
        {
            File.Delete(Path.ChangeExtension(socket, ending));
        }

        return true;
    }

    /// <summary>The users the process behind a socket may have: this one, root where we are root, and the service user that an engine of ours recorded.</summary>
    public static IReadOnlyCollection<uint> AcceptedUsers(string socket)
    {
        var own = Libc.EffectiveUser();
        var record = Path.ChangeExtension(socket, ".user");
        return Libc.Stat(record) is { } stat && stat.User == own && (stat.Mode & 0x3F) == 0 && uint.TryParse(File.ReadAllText(record).Trim(), out var service)
            ? [own, service]
            : [own];
    }
}
