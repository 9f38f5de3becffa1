using System.Security.Cryptography;

namespace Cove.Server.State;

/// <summary>The directory of the server's state: its owner's alone.</summary>
internal static class DataDirectory
{
    private const UnixFileMode Others = UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Makes it when it is missing, refuses it when others may enter it, and returns the name of the server it belongs to.</summary>
    public static string Prepare(string path)
    {
        try
        {
            Directory.CreateDirectory(path, OwnerOnly);
            if ((File.GetUnixFileMode(path) & Others) != UnixFileMode.None)
            {
                throw StateErrors.NotPrivate(path, "others may enter it");
            }

            return Node(Path.Combine(path, "node"));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw StateErrors.Unusable(path, failure);
        }
    }

    /// <summary>The file whose lock says that a server uses the directory.</summary>
    public static string LockOf(string path) => Path.Combine(path, "server.lock");

    /// <summary>Held while a server uses the directory: a second one would take the first one's sandboxes for lost.</summary>
    public static FileStream Lock(string path)
    {
        try
        {
            return new FileStream(LockOf(path), new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = FileShare.None, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite });
        }
        catch (IOException failure)
        {
            throw StateErrors.InUse(path, failure);
        }
    }

    private static string Node(string file)
    {
        if (!File.Exists(file))
        {
            // Written aside and linked into place: two that start at once agree on one name.
            var own = file + "." + RandomNumberGenerator.GetHexString(8, lowercase: true);
            File.WriteAllText(own, "n" + RandomNumberGenerator.GetHexString(16, lowercase: true));
            try
            {
                File.Move(own, file, overwrite: false);
            }
            catch (IOException) when (File.Exists(file))
            {
                File.Delete(own);
            }
        }

        return File.ReadAllText(file) is { Length: 17 } name && name.All(char.IsAsciiLetterOrDigit) ? name : throw new IOException($"{file} is damaged; remove it.");
    }
}
