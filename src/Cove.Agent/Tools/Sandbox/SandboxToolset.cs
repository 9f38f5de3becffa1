using Cove.Tools;

namespace Cove.Agent.Tools.Sandbox;

/// <summary>The tools of a sandbox, each usable alone, all over the same calls, local or remote.</summary>
public static class SandboxToolset
{
    /// <summary>The names of all there are.</summary>
    public static IReadOnlyList<string> Names { get; } =
        ["run_python", SandboxTools.BashName, SandboxTools.EditorName, "read_file", "write_file", "list_files", SandboxTools.MemoryName];

    /// <summary>The tools of a sandbox. Their descriptions say what is installed when <see cref="SandboxToolOptions.Template"/> does.</summary>
    public static IReadOnlyList<AgentTool> Create(ICove cove, SandboxId sandbox, SandboxToolOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(cove);
        options ??= new SandboxToolOptions();
        options.Check();
        return [.. Names.Where(name => options.Only?.Contains(name) ?? true).Select(name => Make(name, cove, sandbox, options)).OfType<AgentTool>()];
    }

    /// <summary>The same, after looking up what the sandbox's template holds.</summary>
    public static async Task<IReadOnlyList<AgentTool>> CreateAsync(
        ICove cove, SandboxId sandbox, SandboxToolOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(cove);
        options ??= new SandboxToolOptions();
        if (options.Template is null)
        {
            var info = await cove.GetSandboxAsync(sandbox, cancellationToken);
            var templates = await cove.ListTemplatesAsync(cancellationToken);
            options = options with { Template = templates.FirstOrDefault(t => t.Name == info.Template) };
        }

        return Create(cove, sandbox, options);
    }

    private static AgentTool? Make(string name, ICove cove, SandboxId sandbox, SandboxToolOptions options) => name switch
    {
        "run_python" => new RunPythonTool(cove, sandbox, options),
        SandboxTools.BashName => new BashTool(cove, sandbox, options),
        SandboxTools.EditorName => new EditorTool(cove, sandbox, options),
        "read_file" => new ReadFileTool(cove, sandbox, options),
        "write_file" => new WriteFileTool(cove, sandbox),
        "list_files" => new ListFilesTool(cove, sandbox, options),
        _ => options.MemoryDirectory is { } directory ? new MemoryTool(directory, options.MaxText) : null,
    };
}
