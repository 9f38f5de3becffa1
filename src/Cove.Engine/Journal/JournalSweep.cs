using Microsoft.Extensions.Logging;

namespace Cove.Engine.Journal;

/// <summary>Removes journals of ended sandboxes: those that are too old, and the oldest while all of them are too large.</summary>
internal sealed class JournalSweep(JournalPaths paths, EngineOptions options, TimeProvider time, ILogger logger)
{
    private int _sweeping;

    /// <summary>Sweeps once; never throws. A sweep that finds another one under way leaves it to that one.</summary>
    public void Sweep()
    {
        if (Interlocked.Exchange(ref _sweeping, 1) != 0)
        {
            return;
        }

        try
        {
            Remove();
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            logger.JournalSweepFailed(failure);
        }
        finally
        {
            Volatile.Write(ref _sweeping, 0);
        }
    }

    private void Remove()
    {
        var oldest = time.GetUtcNow().UtcDateTime - options.JournalRetention;
        var journals = JournalPaths.In(paths.EndedRoot).Select(id => Measure(paths.Ended(id))).OrderBy(j => j.Written).ToArray();
        var total = journals.Sum(j => j.Bytes);
        foreach (var (directory, written, bytes) in journals)
        {
            if (written >= oldest && total <= options.JournalBytes)
            {
                return;
            }

            Directory.Delete(directory, recursive: true);
            total -= bytes;
        }
    }

    private static (string Directory, DateTime Written, long Bytes) Measure(string directory)
    {
        var written = DateTime.MinValue;
        var bytes = 0L;
        foreach (var file in new DirectoryInfo(directory).EnumerateFiles())
        {
            bytes += file.Length;
            written = file.LastWriteTimeUtc > written ? file.LastWriteTimeUtc : written;
        }

        return (directory, written, bytes);
    }
}
