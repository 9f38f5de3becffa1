using Cove.Tools;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Tools.Sandbox;

/// <summary>
/// <c>str_replace_based_edit_tool</c> as Anthropic's models know it (<c>text_editor_20250728</c>): view, create, str_replace, insert. A failure keeps the
/// words the models are trained on; the structured error follows them.
/// </summary>
public sealed class EditorTool : DefinedTool
{
    private readonly SandboxTexts _files;
    private readonly SandboxToolOptions _options;

    /// <summary>The tool of one sandbox.</summary>
    public EditorTool(ICove cove, SandboxId sandbox, SandboxToolOptions? options = null)
        : base(SandboxTools.Editor)
    {
        ArgumentNullException.ThrowIfNull(cove);
        _options = options ?? new SandboxToolOptions();
        _options.Check();
        _files = new SandboxTexts(cove, sandbox);
    }

    /// <summary>What the Messages API is told as <c>max_characters</c>; null: nothing.</summary>
    internal int? MaxCharacters => _options.EditorMaxCharacters;

    private protected override async Task<ToolResult> AnswerAsync(ToolCall call, ToolArguments input, CancellationToken cancellationToken)
    {
        var command = input.Text("command");
        var path = SandboxPaths.Resolve(input.Text("path"));
        try
        {
            return ToolResult.Of(command switch
            {
                "view" => await ViewAsync(path, input.OptionalRange("view_range"), cancellationToken),
                "create" => await CreateAsync(path, input.Text("file_text"), cancellationToken),
                "str_replace" => await ReplaceAsync(path, input.Text("old_str"), input.OptionalText("new_str") ?? "", cancellationToken),
                "insert" => await InsertAsync(path, input, cancellationToken),
                _ => throw new ToolInputException($"The field 'command' is '{Excerpts.OneLine(command, 100)}'.", "Give view, create, str_replace or insert."),
            });
        }
        catch (CoveException failure)
        {
            var error = ToolErrors.Of(failure.Error);
            return Said(
                error.ErrorCategory switch
                {
                    ToolErrorCategory.NotFound when failure.Error.Code is "not_found" or "file_not_found" => "Error: File not found",
                    ToolErrorCategory.Permission when command == "view" => "Error: Permission denied. Cannot read file.",
                    ToolErrorCategory.Permission => "Error: Permission denied. Cannot write to file.",
                    _ => "Error: " + error.Context,
                },
                error);
        }
    }

    private protected override ToolResult InputRefused(ToolError error) =>
        Said(error.Context.StartsWith("Error: ", StringComparison.Ordinal) ? error.Context : $"Error: {error.Context} {error.Remediation}", error);

    private protected override ToolResult Failed(Exception failure) => Said("Error: " + ToolErrors.Of(failure).Context, ToolErrors.Of(failure));

    private static ToolResult Said(string text, ToolError error) => new() { Content = [new TextContent(text), new TextContent(error.ToJson())], Error = error };

    private async Task<string> ViewAsync(string path, (int First, int Last)? range, CancellationToken cancellationToken)
    {
        if (path == "/" || await _files.StatAsync(path, cancellationToken) is { Kind: FileKind.Directory })
        {
            return await ListAsync(path, range, cancellationToken);
        }

        var lines = TextLines.Of(await TextAsync(path, cancellationToken));
        var (first, last) = TextLines.Range(range, lines.Length) ?? throw new ToolInputException(
            $"Error: Invalid `view_range` parameter: [{range!.Value.First}, {range.Value.Last}]. It should be within the range of lines of the file: [1, {lines.Length}]",
            "Give a first and a last line that the file has, or -1 as the last.");
        var shown = TextLines.Numbered(lines.AsSpan()[(first - 1)..last], first);
        var most = _options.EditorMaxCharacters ?? _options.MaxText;
        return shown.Length <= most ? shown
            : Excerpts.Short(shown, most) + FormattableString.Invariant($"\n[truncated: {most:N0} of {shown.Length:N0} characters are shown; use view_range to see further lines]");
    }

    private async Task<string> ListAsync(string path, (int First, int Last)? range, CancellationToken cancellationToken)
    {
        if (range is not null)
        {
            throw new ToolInputException("Error: The `view_range` parameter is not allowed when `path` points to a directory.", "Leave view_range out.");
        }

        var found = await _files.ListAsync(path, 2, cancellationToken);
        var lines = found.Select(f => $"{TextLines.Size(f.SizeBytes)}\t{Excerpts.OneLine(f.Path)}{(f.Kind == FileKind.Directory ? "/" : "")}");
        var listing = $"Here're the files and directories up to 2 levels deep in {Excerpts.OneLine(path)}, excluding hidden items and node_modules:\n" + string.Join('\n', lines);
        return Excerpts.HeadAndTail(listing, _options.MaxText, "view a directory in it");
    }

    private async Task<string> CreateAsync(string path, string text, CancellationToken cancellationToken) =>
        await _files.WriteAsync(path, text, cancellationToken) ? $"File overwritten successfully at: {Excerpts.OneLine(path)}" : $"File created successfully at: {Excerpts.OneLine(path)}";

    private async Task<string> ReplaceAsync(string path, string old, string replacement, CancellationToken cancellationToken)
    {
        var text = await TextAsync(path, cancellationToken);
        var found = TextLines.Find(text, old);
        if (found.Count != 1)
        {
            throw new ToolInputException(
                found.Count == 0
                    ? "Error: No match found for replacement. Please check your text and try again."
                    : $"Error: Found {found.Count} matches for replacement text. Please provide more context to make a unique match.",
                "Look at the file again, and give a text that occurs in it exactly once.");
        }

        await _files.WriteAsync(path, string.Concat(text.AsSpan(0, found[0]), replacement, text.AsSpan(found[0] + old.Length)), cancellationToken);
        return "Successfully replaced text at exactly one location.";
    }

    private async Task<string> InsertAsync(string path, ToolArguments input, CancellationToken cancellationToken)
    {
        // new_str is what earlier versions of the tool called it; models still do now and then.
        var inserted = input.OptionalText("insert_text") ?? input.OptionalText("new_str") ?? input.Text("insert_text");
        var line = input.OptionalInteger("insert_line") ?? throw new ToolInputException("The field 'insert_line' is missing.", "Give the line to insert after; 0 for the beginning.");
        var text = await TextAsync(path, cancellationToken);
        var count = text.Length == 0 ? 0 : TextLines.Of(text).Length;
        if (line < 0 || line > count)
        {
            throw new ToolInputException(
                $"Error: Invalid `insert_line` parameter: {line}. It should be within the range of lines of the file: [0, {count}]", "Give a line that the file has, or 0.");
        }

        await _files.WriteAsync(path, TextLines.Insert(text, line, inserted), cancellationToken);
        return $"Successfully inserted text after line {line}.";
    }

    private async Task<string> TextAsync(string path, CancellationToken cancellationToken) => await _files.ReadAsync(path, cancellationToken)
        ?? throw new ToolInputException($"Error: {Excerpts.OneLine(path)} is no UTF-8 text.", "Look at it with code or a command.");
}
