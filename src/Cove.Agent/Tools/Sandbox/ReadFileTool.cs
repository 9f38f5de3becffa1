using Cove.Tools;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Tools.Sandbox;

/// <summary><c>read_file {path}</c>: a text file of the sandbox, or a picture as a picture.</summary>
public sealed class ReadFileTool : DefinedTool
{
    private readonly SandboxTexts _files;
    private readonly SandboxToolOptions _options;

    /// <summary>The tool of one sandbox.</summary>
    public ReadFileTool(ICove cove, SandboxId sandbox, SandboxToolOptions? options = null)
        : base(SandboxTools.ReadFile)
    {
        ArgumentNullException.ThrowIfNull(cove);
        _options = options ?? new SandboxToolOptions();
        _options.Check();
        _files = new SandboxTexts(cove, sandbox);
    }

    private protected override async Task<ToolResult> AnswerAsync(ToolCall call, ToolArguments input, CancellationToken cancellationToken)
    {
        var path = SandboxPaths.Resolve(input.Text("path"));
        var mediaType = MediaTypes.Of(path);
        if (Images.MediaTypes.Contains(mediaType))
        {
            var bytes = await _files.BytesAsync(path, cancellationToken);
            return bytes.Length <= _options.MaxImageBytes
                ? new ToolResult { Content = [new DataContent(bytes, mediaType)] }
                : throw new ToolInputException($"The image has {bytes.Length:N0} bytes; at most {_options.MaxImageBytes:N0} are shown.", "Make a smaller copy of it and read that.");
        }

        var text = await _files.ReadAsync(path, cancellationToken)
            ?? throw new ToolInputException($"{Excerpts.OneLine(path)} is no UTF-8 text.", "Look at it with code or a command.");
        return ToolResult.Of(Excerpts.HeadAndTail(text, _options.MaxText, $"look at parts of {Excerpts.OneLine(path)} with code, a command or the editor's view_range"));
    }
}
