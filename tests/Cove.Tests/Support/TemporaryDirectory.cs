namespace Cove.Tests.Support;

/// <summary>A directory of one test's own.</summary>
public sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = TemporaryPlace.Make().FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}

/// <summary>The one place for all that the tests of this process leave on the disk: gone with it, whatever became of the tests.</summary>
public static class TemporaryPlace
{
    private static readonly Lazy<string> _path = new(() =>
    {
        var made = Directory.CreateTempSubdirectory("cove-tests-").FullName;
        // Others may pass, not look: some tests hand what is in here to another user.
        File.SetUnixFileMode(made, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        return made;
    });

    public static string Path => _path.Value;

    /// <summary>A new directory, for this user alone.</summary>
    public static DirectoryInfo Make() => Directory.CreateDirectory(
        System.IO.Path.Combine(Path, Guid.NewGuid().ToString("N")[..12]), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

    public static void Remove()
    {
        if (_path.IsValueCreated)
        {
            Directory.Delete(Path, recursive: true);
        }
    }
}
