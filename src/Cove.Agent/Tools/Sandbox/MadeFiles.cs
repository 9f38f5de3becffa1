namespace Cove.Agent.Tools.Sandbox;

/// <summary>Which files of <c>/workspace</c> a run made or changed: two listings, compared. What is hidden, and what tools of the trade leave behind, is not looked at.</summary>
internal sealed class MadeFiles(ICove cove, SandboxId sandbox, int most)
{
    public const string Workspace = "/workspace";
    private const int Depth = 4;

    /// <summary>What there is, by path; null when it cannot be listed (too much is there) or nobody wants to know.</summary>
    public async Task<Dictionary<string, FileEntry>?> ListAsync(CancellationToken cancellationToken)
    {
        if (most == 0)
        {
            return null;
        }

        try
        {
            var found = await cove.ListFilesAsync(sandbox, Workspace, Depth, cancellationToken);
            return found.Where(f => f.Kind == FileKind.File && !IsHidden(f.Path)).ToDictionary(f => f.Path, StringComparer.Ordinal);
        }
        catch (Exception failure) when (failure is CoveException or ArgumentException)
        {
            return null; // more than 10,000 entries, or names that are no UTF-8 and look alike: no artifacts, and the run is told whole
        }
    }

    /// <summary>The files that are new or other than before, by path; those beyond the bound are counted in a notice.</summary>
    public IReadOnlyList<ToolArtifact> Since(Dictionary<string, FileEntry>? before, Dictionary<string, FileEntry>? now, List<string> notices)
    {
        if (before is null || now is null)
        {
            return [];
        }

        var made = now.Values.Where(f => !before.TryGetValue(f.Path, out var was) || was.ModifiedAt != f.ModifiedAt || was.SizeBytes != f.SizeBytes)
            .OrderBy(f => f.Path, StringComparer.Ordinal).ToArray();
        if (made.Length > most)
        {
            notices.Add($"{made.Length} files were made or changed; the first {most} are listed.");
        }

        return [.. made.Take(most).Select(f => new ToolArtifact(f.Path, MediaTypes.Of(f.Path), f.SizeBytes))];
    }

    private static bool IsHidden(string path) => path.Split('/').Any(part => part.StartsWith('.') || part is "__pycache__" or "node_modules");
}
