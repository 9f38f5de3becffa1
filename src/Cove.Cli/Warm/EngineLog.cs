using Microsoft.Win32.SafeHandles;

namespace Cove.Cli.Warm;

/// <summary>The background engine's log: its own messages and whatever its children write to standard error, in one bounded file.</summary>
internal static class EngineLog
{
    /// <summary>Beyond this the file moves to <c>.1</c> and starts again, so that the two take 8 MiB at most.</summary>
    private const long MaximumBytes = 4 << 20;

    public static string PathIn(string stateDirectory) => Path.Combine(stateDirectory, "engine.log");

    /// <summary>Keeps the file within its bounds while others append to it: it is copied, then cut, since they hold it open.</summary>
    public static void Bound(string path)
    {
        try
        {
            if (new FileInfo(path) is { Exists: true, Length: > MaximumBytes })
            {
                File.Copy(path, path + ".1", overwrite: true);
                using var log = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
                log.SetLength(0);
            }
        }
        catch (UnauthorizedAccessException)
        {
            BoundOwn();
        }
        catch (IOException)
        {
            // A log that can't be bounded now is looked at again in a few seconds.
        }
    }

    /// <summary>An engine that gave up root may no longer name the file, but it still holds it open: what was logged before is let go.</summary>
    private static void BoundOwn()
    {
        using var log = new FileStream(new SafeFileHandle(2, ownsHandle: false), FileAccess.Write);
        if (log.CanSeek && log.Length > MaximumBytes)
        {
            log.SetLength(0);
        }
    }

    /// <summary>What was logged from a place on, its last lines only.</summary>
    public static string Tail(string path, long from)
    {
        try
        {
            using var log = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            log.Position = Math.Min(from, log.Length);
            using var reader = new StreamReader(log);
            return string.Join('\n', reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).TakeLast(20));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
