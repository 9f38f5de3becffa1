using System.Text;
using Cove.Tools;

namespace Cove.Agent.Tools.Sandbox;

/// <summary><c>write_file {path, content}</c>: a text file of the sandbox, whole.</summary>
public sealed class WriteFileTool : DefinedTool
{
    private readonly SandboxTexts _files;

    /// <summary>The tool of one sandbox.</summary>
    public WriteFileTool(ICove cove, SandboxId sandbox)
        : base(SandboxTools.WriteFile)
    {
        ArgumentNullException.ThrowIfNull(cove);
        _files = new SandboxTexts(cove, sandbox);
    }

    private protected override async Task<ToolResult> AnswerAsync(ToolCall call, ToolArguments input, CancellationToken cancellationToken)
    {
        var path = SandboxPaths.Resolve(input.Text("path"));
        var content = input.Text("content");
        var replaced = await _files.WriteAsync(path, content, cancellationToken);
        var bytes = Encoding.UTF8.GetByteCount(content);
        return ToolResult.Of($"Wrote {bytes:N0} bytes to {Excerpts.OneLine(path)}{(replaced ? ", replacing what was there" : "")}.") with
        {
            Artifacts = [new ToolArtifact(path, MediaTypes.Of(path), bytes)],
        };
    }
}
