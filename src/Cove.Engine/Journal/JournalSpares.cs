using System.Collections.Concurrent;

namespace Cove.Engine.Journal;

/// <summary>
/// Empty journals that wait for their sandbox, under the id that it will have: to make a directory and a file takes longer than all that a creation writes
/// into them. They are made where nobody waits. What a killed engine left of them, its successor removes with the other empty ones.
/// </summary>
internal sealed class JournalSpares(JournalPaths paths, long maxBytes) : IDisposable
{
    /// <summary>Whoever needs more than that at once makes them: each is an open file.</summary>
    private const int Most = 16;

    private readonly ConcurrentQueue<(SandboxId Sandbox, JournalFile File)> _spares = new();
    private readonly Lock _filling = new();
    private bool _disposed;

    /// <summary>Makes what is missing. A disk that fails leaves them missing: who needs one hears of it then.</summary>
    public void Fill()
    {
        lock (_filling)
        {
            try
            {
                while (!_disposed && _spares.Count < Most)
                {
                    Add(SandboxId.New());
                }
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                // The next creation makes its own, or says why it can't.
            }
        }
    }

    /// <summary>An id and its empty journal; null when there is none left.</summary>
    public (SandboxId Sandbox, JournalFile File)? Take() => _spares.TryDequeue(out var spare) ? spare : null;

    public void Dispose()
    {
        lock (_filling)
        {
            _disposed = true;
            while (_spares.TryDequeue(out var spare))
            {
                spare.File.Dispose();
                Remove(spare.Sandbox);
            }
        }
    }

    private void Add(SandboxId sandbox)
    {
        try
        {
            _spares.Enqueue((sandbox, JournalFile.Create(paths.Live(sandbox), maxBytes)));
        }
        catch
        {
            Remove(sandbox); // the directory may be there, and each end would leave one more
            throw;
        }
    }

    private void Remove(SandboxId sandbox)
    {
        try
        {
            Directory.Delete(paths.Live(sandbox), recursive: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            // The next engine does it.
        }
    }
}
