using Cove.Tools;

namespace Cove.Agent.Tools.Sandbox;

/// <summary><c>list_files {path}</c>: what a directory of the sandbox holds, hidden things included.</summary>
public sealed class ListFilesTool : DefinedTool
{
    private readonly ICove _cove;
    private readonly SandboxId _sandbox;
    private readonly SandboxToolOptions _options;

    /// <summary>The tool of one sandbox.</summary>
    public ListFilesTool(ICove cove, SandboxId sandbox, SandboxToolOptions? options = null)
        : base(SandboxTools.ListFiles)
    {
        ArgumentNullException.ThrowIfNull(cove);
        (_cove, _sandbox, _options) = (cove, sandbox, options ?? new SandboxToolOptions());
        _options.Check();
    }

    private protected override async Task<ToolResult> AnswerAsync(ToolCall call, ToolArguments input, CancellationToken cancellationToken)
    {
        var path = SandboxPaths.Resolve(input.Text("path"));
        var found = await _cove.ListFilesAsync(_sandbox, path, 1, cancellationToken);
        if (found.Count == 0)
        {
            return ToolResult.Of($"{Excerpts.OneLine(path)} is empty.");
        }

        // A name is the guest's: on one line, whatever is in it.
        return ToolResult.Of(Excerpts.HeadAndTail(string.Join('\n', found.Select(Line)), _options.MaxText, "list a directory in it"));
    }

    private static string Line(FileEntry entry) => entry.Kind switch
    {
        FileKind.Directory => $"-\t{Excerpts.OneLine(entry.Path)}/",
        FileKind.Symlink => $"-\t{Excerpts.OneLine(entry.Path)} -> {Excerpts.OneLine(entry.LinkTarget ?? "")}",
        _ => $"{TextLines.Size(entry.SizeBytes)}\t{Excerpts.OneLine(entry.Path)}",
    };
}
