using System.Text;

namespace Cove.Agent.Tools.Sandbox;

/// <summary>
/// Keeps the whole of an output that a model is shown a part of, as a file of the sandbox beside those the engine saves there
/// (<c>/tmp/.cove</c>: it is in nobody's way and in no listing of <c>/workspace</c>). The newest few are kept, so that a chatty agent does not fill its own disk.
/// </summary>
internal sealed class SavedOutput(ICove cove, SandboxId sandbox)
{
    private const int Kept = 16;

    private readonly Queue<string> _paths = new();
    private readonly Lock _lock = new();

    /// <summary>Makes a text short; the rest of the sentence says where the whole is, when it was cut and could be saved.</summary>
    public async Task<string> CutAsync(string text, int most, RunId? run, string name, CancellationToken cancellationToken)
    {
        if (text.Length <= most)
        {
            return text;
        }

        var path = $"/tmp/.cove/{run?.ToString() ?? "call"}.{name}.txt";
        return Excerpts.HeadAndTail(text, most, await SaveAsync(path, text, cancellationToken) ? "the whole is in " + path : "the whole could not be saved");
    }

    private async Task<bool> SaveAsync(string path, string text, CancellationToken cancellationToken)
    {
        try
        {
            using var content = new MemoryStream(Encoding.UTF8.GetBytes(text));
            await cove.WriteFileAsync(sandbox, path, content, new FileWriteOptions { Mode = Convert.ToInt32("600", 8) }, cancellationToken);
            if (Oldest(path) is { } oldest)
            {
                await cove.RemoveFileAsync(sandbox, oldest, cancellationToken: cancellationToken);
            }

            return true;
        }
        catch (CoveException)
        {
            return false; // the disk is full, or the sandbox is gone; the result says that there is no whole
        }
    }

    private string? Oldest(string path)
    {
        lock (_lock)
        {
            _paths.Enqueue(path);
            return _paths.Count > Kept ? _paths.Dequeue() : null;
        }
    }
}
