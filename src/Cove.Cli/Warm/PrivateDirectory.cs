namespace Cove.Cli.Warm;

/// <summary>Directories that belong to this user alone. What is in them is trusted, so they are made so, and refused when they are not.</summary>
internal static class PrivateDirectory
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const uint TypeMask = 0xF000;
    private const uint TypeDirectory = 0x4000;
    private const uint OthersMask = 0x3F; // rwxrwx of group and others

    /// <summary>Where engines listen: under the session's runtime directory; without one in <c>/run</c> for root and in <c>/tmp</c> for others.</summary>
    public static string Runtime()
    {
        var user = Libc.EffectiveUser();
        foreach (var parent in new[] { Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR"), $"/run/user/{user}" })
        {
            // sudo -E keeps the caller's variable: a directory of somebody else is passed over.
            if (!string.IsNullOrEmpty(parent) && Path.IsPathFullyQualified(parent) && IsOwn(parent, user))
            {
                return Make(Path.Combine(parent, "cove"), user);
            }
        }

        return Make(user == 0 ? "/run/cove-0" : $"/tmp/cove-{user}", user);
    }

    /// <summary>What outlives a login: the engine's log and the shell's history.</summary>
    public static string State()
    {
        var user = Libc.EffectiveUser();
        var home = Environment.GetEnvironmentVariable("HOME");
        var parent = Environment.GetEnvironmentVariable("XDG_STATE_HOME") is { Length: > 0 } state && Path.IsPathFullyQualified(state) ? state
            : !string.IsNullOrEmpty(home) && Path.IsPathFullyQualified(home) ? Path.Combine(home, ".local", "state")
            : null;
        if (parent is null || (Libc.Stat(parent) is { } there && there.User != user))
        {
            return Runtime();
        }

        try
        {
            Directory.CreateDirectory(Path.Combine(parent, "cove"), OwnerOnly);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // A home that can't be written, as in many containers: then nothing outlives the login, and everything else works.
            return Runtime();
        }

        return Make(Path.Combine(parent, "cove"), user);
    }

    internal static string Make(string path, uint user)
    {
        try
        {
            Directory.CreateDirectory(path, OwnerOnly);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw Errors.Host("private_directory", $"{path} can't be made: {failure.Message}", "Make it, belonging to you and with mode 0700, or set XDG_RUNTIME_DIR.", failure);
        }

        var stat = Libc.Stat(path) ?? throw Refused(path, "it vanished");
        if ((stat.Mode & TypeMask) != TypeDirectory)
        {
            throw Refused(path, "it is a link or a file");
        }

        if (stat.User != user)
        {
            throw Refused(path, $"it belongs to user id {stat.User}");
        }

        return (stat.Mode & OthersMask) == 0 ? path : throw Refused(path, "others may enter it");
    }

    private static bool IsOwn(string path, uint user) =>
        Libc.Stat(path) is { } stat && stat.User == user && (stat.Mode & TypeMask) == TypeDirectory;

    private static CoveException Refused(string path, string reason) =>
        Errors.Host("private_directory", $"{path} can't be trusted: {reason}.", $"Look at what is there; then remove it: rm -r {path}");
}
