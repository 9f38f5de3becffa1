using Cove.Tools;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Tools.Sandbox;

/// <summary>
/// <c>memory</c> as Anthropic's models know it (<c>memory_20250818</c>): notes under <c>/memories</c> that outlive the sandbox, in a directory of this machine.
/// What it answers are the words the models are trained on.
/// </summary>
public sealed class MemoryTool : DefinedTool
{
    private readonly MemoryStore _store;
    private readonly int _maxText;

    /// <summary>The memory in a directory, which is made when it is missing, for its owner alone.</summary>
    /// <param name="directory">An absolute path on this machine.</param>
    /// <param name="maxText">Characters of a file that a model reads at once. Default 30,000; 200 to 1,000,000.</param>
    public MemoryTool(string directory, int maxText = 30_000)
        : base(SandboxTools.Memory)
    {
        new SandboxToolOptions { MemoryDirectory = directory ?? throw new ArgumentNullException(nameof(directory)), MaxText = maxText }.Check();
        (_store, _maxText) = (new MemoryStore(directory), maxText);
    }

    private protected override Task<ToolResult> AnswerAsync(ToolCall call, ToolArguments input, CancellationToken cancellationToken)
    {
        lock (_store.Turn)
        {
            return Task.FromResult(ToolResult.Of(Answer(input.Text("command"), input)));
        }
    }

    private protected override ToolResult InputRefused(ToolError error) => Said(error.Context, error);

    private protected override ToolResult Failed(Exception failure)
    {
        // A host's words about a path of its own are not for a model.
        var error = new ToolError
        {
            ErrorCategory = ToolErrorCategory.Unavailable,
            IsRetryable = false,
            Context = $"The memory could not be used ({failure.GetType().Name}).",
            Remediation = "Go on without it, and tell the user that nothing was remembered.",
        };
        return Said("Error: " + error.Context, error);
    }

    private static ToolResult Said(string text, ToolError error) => new() { Content = [new TextContent(text), new TextContent(error.ToJson())], Error = error };

    private string Answer(string command, ToolArguments input) => command switch
    {
        "view" => View(input),
        "create" => Create(input),
        "str_replace" => Replace(input),
        "insert" => Insert(input),
        "delete" => Delete(input),
        "rename" => Rename(input),
        _ => throw new ToolInputException($"Error: Unknown command: {Excerpts.OneLine(command, 100)}", "Give view, create, str_replace, insert, delete or rename."),
    };

    private string View(ToolArguments input)
    {
        var path = input.Text("path");
        var found = _store.Find(Parts(path)) ?? throw Wrong($"The path {Shown(path)} does not exist. Please provide a valid path.");
        if (found is DirectoryInfo folder)
        {
            return Excerpts.HeadAndTail(Listing(Shown(path.TrimEnd('/')), folder), _maxText, "view a directory in it");
        }

        var lines = TextLines.Of(MemoryStore.Read((FileInfo)found));
        var asked = input.OptionalRange("view_range");
        var (first, last) = TextLines.Range(asked, lines.Length) ?? throw Wrong(
            $"Error: Invalid `view_range` parameter: [{asked!.Value.First}, {asked.Value.Last}]. It should be within the range of lines of the file: [1, {lines.Length}]");
        return $"Here's the content of {Shown(path)} with line numbers:\n"
            + Excerpts.HeadAndTail(TextLines.Numbered(lines.AsSpan()[(first - 1)..last], first), _maxText, "view parts of it with view_range");
    }

    private static string Listing(string path, DirectoryInfo folder)
    {
        List<string> lines = [$"{TextLines.Size(MemoryStore.Size(folder))}\t{path}"];
        foreach (var (item, bytes) in MemoryStore.Children(folder))
        {
            lines.Add($"{TextLines.Size(bytes)}\t{path}/{item.Name}");
            if (item is DirectoryInfo below)
            {
                lines.AddRange(MemoryStore.Children(below).Select(child => $"{TextLines.Size(child.Bytes)}\t{path}/{item.Name}/{child.Item.Name}"));
            }
        }

        return $"Here're the files and directories up to 2 levels deep in {path}, excluding hidden items and node_modules:\n" + string.Join('\n', lines);
    }

    private string Create(ToolArguments input)
    {
        var path = input.Text("path");
        var parts = Below(path);
        var text = input.Text("file_text");
        if (_store.Find(parts) is not null)
        {
            throw Wrong($"Error: File {Shown(path)} already exists");
        }

        _store.Write(parts, text);
        return $"File created successfully at: {Shown(path)}";
    }

    private string Replace(ToolArguments input)
    {
        var (path, old, replacement) = (input.Text("path"), input.Text("old_str"), input.OptionalText("new_str") ?? "");
        var text = MemoryStore.Read(Existing(path, $"Error: The path {Shown(path)} does not exist. Please provide a valid path."));
        var found = TextLines.Find(text, old);
        if (found.Count == 0)
        {
            throw Wrong($"No replacement was performed, old_str `{old}` did not appear verbatim in {Shown(path)}.");
        }

        if (found.Count > 1)
        {
            var numbers = string.Join(", ", found.Select(at => TextLines.LineAt(text, at)).Distinct());
            throw Wrong($"No replacement was performed. Multiple occurrences of old_str `{old}` in lines: {numbers}. Please ensure it is unique");
        }

        var now = string.Concat(text.AsSpan(0, found[0]), replacement, text.AsSpan(found[0] + old.Length));
        _store.Write(Below(path), now);
        return "The memory file has been edited.\n" + Snippet(now, TextLines.LineAt(now, found[0]), replacement.AsSpan().Count('\n'));
    }

    /// <summary>The changed lines with two more on either side.</summary>
    private static string Snippet(string text, int line, int more)
    {
        var lines = TextLines.Of(text);
        var first = Math.Clamp(line - 2, 1, lines.Length);
        var last = Math.Min(lines.Length, line + Math.Min(more, 50) + 2);
        return Excerpts.HeadAndTail(TextLines.Numbered(lines.AsSpan()[(first - 1)..last], first), 4000, "");
    }

    private string Insert(ToolArguments input)
    {
        var (path, inserted) = (input.Text("path"), input.Text("insert_text"));
        var text = MemoryStore.Read(Existing(path, $"Error: The path {Shown(path)} does not exist"));
        var line = input.OptionalInteger("insert_line") ?? throw Wrong("Error: The field 'insert_line' is missing.");
        var count = text.Length == 0 ? 0 : TextLines.Of(text).Length;
        if (line < 0 || line > count)
        {
            throw Wrong($"Error: Invalid `insert_line` parameter: {line}. It should be within the range of lines of the file: [0, {count}]");
        }

        _store.Write(Below(path), TextLines.Insert(text, line, inserted));
        return $"The file {Shown(path)} has been edited.";
    }

    private string Delete(ToolArguments input)
    {
        var path = input.Text("path");
        MemoryStore.Delete(_store.Find(Below(path)) ?? throw Wrong($"Error: The path {Shown(path)} does not exist"));
        return $"Successfully deleted {Shown(path)}";
    }

    private string Rename(ToolArguments input)
    {
        var (from, to) = (input.Text("old_path"), input.Text("new_path"));
        var (source, target) = (Below(from), Below(to));
        var found = _store.Find(source) ?? throw Wrong($"Error: The path {Shown(from)} does not exist");
        if (_store.Find(target) is not null)
        {
            throw Wrong($"Error: The destination {Shown(to)} already exists");
        }

        _store.Rename(found, target);
        return $"Successfully renamed {Shown(from)} to {Shown(to)}";
    }

    private FileInfo Existing(string path, string missing) => _store.Find(Below(path)) as FileInfo ?? throw Wrong(missing);

    private static string[] Parts(string path) => MemoryPath.Parts(path) ?? throw Wrong(
        $"Error: Invalid path {Shown(path)}. Paths begin with /memories and stay in it; names are at most 200 bytes, 8 deep, and begin with no dot.");

    /// <summary>A place below the root, which itself is neither written, moved nor deleted.</summary>
    private static string[] Below(string path) => Parts(path) is { Length: > 0 } parts ? parts : throw Wrong("Error: /memories itself cannot be changed; name a file or directory in it.");

    private static string Shown(string path) => Excerpts.OneLine(path, 500);

    private static ToolInputException Wrong(string text) => new(text, "View the directory to see what is there, and correct the call.");
}
