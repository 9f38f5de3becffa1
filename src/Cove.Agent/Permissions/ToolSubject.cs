using System.Text.Json;
using Cove.Agent.Tools;
using Cove.Agent.Tools.Sandbox;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Permissions;

/// <summary>What a call would do, in the words rules are written in.</summary>
internal enum ToolEffect
{
    /// <summary>Something else than the rest.</summary>
    Other,

    /// <summary>A file is read, or a directory listed.</summary>
    Read,

    /// <summary>A file is changed or made.</summary>
    Edit,

    /// <summary>A command is run.</summary>
    Command,
}

/// <summary>A call as rules see it.</summary>
/// <param name="Names">The names it answers to: the tool's own, and what rules call such tools.</param>
/// <param name="Effect">What it would do.</param>
/// <param name="Input">Its input.</param>
/// <param name="Path">The file, as an absolute path without <c>.</c> and <c>..</c>; null when there is none.</param>
/// <param name="Command">The command; null when there is none.</param>
internal sealed record ToolSubject(IReadOnlyList<string> Names, ToolEffect Effect, JsonElement Input, string? Path = null, string? Command = null)
{
    private static readonly JsonElement _view = JsonElement.Parse("""{"command":"view"}""");

    /// <summary>A call of a tool in hand. One of somebody else's that merely has the name of one of ours answers to its name alone.</summary>
    public static ToolSubject Of(AITool tool, JsonElement input)
    {
        var inner = tool;
        while (inner is DelegatingTool wrapping)
        {
            inner = wrapping.Inner;
        }

        var real = inner.GetService<DefinedTool>();
        return real is RunPythonTool or BashTool or EditorTool or ReadFileTool or WriteFileTool or ListFilesTool or MemoryTool
            ? Of(tool.Name, input)
            : new ToolSubject([tool.Name], ToolEffect.Other, input);
    }

    /// <summary>The kinds of calls a tool takes: one, but for the editor, which reads as well as it changes.</summary>
    public static IEnumerable<ToolSubject> KindsOf(AITool tool) =>
        Of(tool, default) is { Effect: ToolEffect.Edit, Names: [.., "str_replace_based_edit_tool"] } ? [Of(tool, _view), Of(tool, default)] : [Of(tool, default)];

    /// <summary>A call of a tool by name: ours, and those of Claude Code.</summary>
    public static ToolSubject Of(string name, JsonElement input) => name switch
    {
        "bash" or "run_bash" or "run_command" or "Bash" => new(["Bash", name], ToolEffect.Command, input, Command: Text(input, "command")),
        "run_python" => new(["Python", name], ToolEffect.Other, input),
        "str_replace_based_edit_tool" => Text(input, "command") switch
        {
            "view" => new(["Read", name], ToolEffect.Read, input, Place(input)),
            "create" => new(["Edit", "Write", name], ToolEffect.Edit, input, Place(input)),
            _ => new(["Edit", name], ToolEffect.Edit, input, Place(input)),
        },
        "read_file" or "list_files" or "Read" or "Glob" or "Grep" or "LS" => new(["Read", name], ToolEffect.Read, input, Place(input)),
        "write_file" or "Write" => new(["Edit", "Write", name], ToolEffect.Edit, input, Place(input)),
        "Edit" or "MultiEdit" or "NotebookEdit" => new(["Edit", name], ToolEffect.Edit, input, Place(input)),
        "memory" => new(["Memory", name], ToolEffect.Other, input),
        _ => new([name], ToolEffect.Other, input),
    };

    /// <summary>Whether the input has a field with a value that matches.</summary>
    public bool HasField(string field, string value) => Input.ValueKind == JsonValueKind.Object && Input.TryGetProperty(field, out var given)
        && given.ValueKind is JsonValueKind.String or JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False
        && Glob.Matches(value, given.ValueKind == JsonValueKind.String ? Text(Input, field) ?? "" : given.GetRawText());

    private static string? Place(JsonElement input) => (Text(input, "path") ?? Text(input, "file_path") ?? Text(input, "notebook_path")) is { } path ? SandboxPaths.Resolve(path) : null;

    private static string? Text(JsonElement input, string field)
    {
        try
        {
            return input.ValueKind == JsonValueKind.Object && input.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            return null; // half of a surrogate pair; the tool refuses it
        }
    }
}
