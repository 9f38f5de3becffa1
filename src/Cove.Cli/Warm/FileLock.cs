namespace Cove.Cli.Warm;

/// <summary>A lock that the kernel releases when its holder ends, however it ends (flock, which is how .NET implements exclusive opening).</summary>
internal static class FileLock
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(20);

    public static FileStream? TryTake(string path)
    {
        try
        {
            return new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
        }
        catch (IOException)
        {
            return null;
        }
    }

    public static async Task<FileStream> TakeAsync(string path, TimeSpan patience, TimeProvider time, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        while (true)
        {
            if (TryTake(path) is { } taken)
            {
                return taken;
            }

            if (time.GetElapsedTime(start) > patience)
            {
                throw Errors.Host("engine_start", $"Another command has been starting the engine for {patience.TotalSeconds:0} s ({path}).", "Look at the engine's log (cove engine status names it), end that command, and try again.");
            }

            await Task.Delay(RetryPause, time, cancellationToken);
        }
    }
}
