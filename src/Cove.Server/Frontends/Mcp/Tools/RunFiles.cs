using System.Text;

namespace Cove.Server.Frontends.Mcp.Tools;

/// <summary>Files that belong to a run's result.</summary>
/// <param name="Changed">What it made or changed.</param>
/// <param name="Full">What it wrote to streams that are shortened, whole.</param>
/// <param name="Notices">What could not be done.</param>
internal sealed record RunFileList(IReadOnlyList<FileLink> Changed, IReadOnlyList<FileLink> Full, IReadOnlyList<string> Notices);

/// <summary>Looks after a run what files it left, and keeps what a result has no room for.</summary>
internal sealed class RunFiles(ICove cove, SandboxId sandbox)
{
    private const string Workspace = "/workspace";
    private const int Depth = 4;
    private const int Most = 20;

    /// <summary>Times of files are those of the kernel's last tick, which is some milliseconds old.</summary>
    private static readonly TimeSpan _tick = TimeSpan.FromMilliseconds(20);

    public async Task<RunFileList> GatherAsync(RunGathering output, CancellationToken cancellationToken)
    {
        var notices = new List<string>();
        List<FileLink> full = [], changed = [];
        try
        {
            await KeepAsync(full, output.Stdout, RunGathering.StdoutBytes, $"/tmp/.cove/{output.Begin?.Run}.stdout.txt", cancellationToken);
            await KeepAsync(full, output.Stderr, RunGathering.StderrBytes, $"/tmp/.cove/{output.Begin?.Run}.stderr.txt", cancellationToken);
            changed = await ChangedAsync(output, notices, cancellationToken);
        }
        catch (CoveException failure)
        {
            // The sandbox may have ended with the run, its disk may be full: the run's own result stands.
            notices.Add("Files: " + failure.Error.Message);
        }

        return new RunFileList(changed, full, notices);
    }

    private async Task KeepAsync(List<FileLink> full, string text, int bytes, string path, CancellationToken cancellationToken)
    {
        if (Shortened.Of(text, bytes).IsCut)
        {
            using var content = new MemoryStream(Encoding.UTF8.GetBytes(text));
            full.Add(McpFiles.Describe(sandbox, await cove.WriteFileAsync(sandbox, path, content, new FileWriteOptions { Mode = 0x180 }, cancellationToken)));
        }
    }

    private async Task<List<FileLink>> ChangedAsync(RunGathering output, List<string> notices, CancellationToken cancellationToken)
    {
        if (output.Begin is not { } begin)
        {
            return [];
        }

        var all = await cove.ListFilesAsync(sandbox, Workspace, Depth, cancellationToken);
        var changed = all.Where(entry => entry.Kind == FileKind.File && entry.ModifiedAt + _tick >= begin.Time).OrderByDescending(entry => entry.ModifiedAt).ToArray();
        if (changed.Length > Most)
        {
            notices.Add($"{changed.Length:N0} files were made or changed; the {Most} newest are named. list_files shows all.");
        }

        return [.. changed.Take(Most).Select(entry => McpFiles.Describe(sandbox, entry))];
    }
}
