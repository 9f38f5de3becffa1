namespace Cove.Tools;

/// <summary>The tools a sandbox offers to a model. Their descriptions say what its template was found to hold, never what somebody hopes it does.</summary>
public static class SandboxTools
{
    private const string NoNetwork = "There is no network.";

    /// <summary>All of them, for sandboxes of a template.</summary>
    public static IReadOnlyList<ToolDefinition> For(TemplateInfo template) =>
        [ExecutePythonCode(template), RunPython(template), RunBash, ReadFile, WriteFile, ListFiles];

    /// <summary>Python in a fresh sandbox: <c>POST /execute</c>.</summary>
    public static ToolDefinition ExecutePythonCode(TemplateInfo template) => new()
    {
        Name = "execute_python_code",
        Description = "Executes Python code in a sandboxed environment and returns the output. "
            + $"Each call starts afresh: variables and files of earlier calls are gone. {Installed(template)} {NoNetwork} Print what you want to see.",
        Parameters = [new("code", "string", "The Python code to execute.")],
    };

    /// <summary>Python in a sandbox that stays.</summary>
    public static ToolDefinition RunPython(TemplateInfo template) => new()
    {
        Name = "run_python",
        Description = "Execute Python code in a sandboxed environment. Use this for any computation, data analysis, or visualization task. "
            + $"Variables, imports and files stay between calls. {Installed(template)} {NoNetwork} Returns stdout, stderr, exit code, and execution time.",
        Parameters = [new("code", "string", "Python code to execute"), Timeout],
    };

    /// <summary>bash in a sandbox that stays.</summary>
    public static ToolDefinition RunBash { get; } = new()
    {
        Name = "run_bash",
        Description = $"Execute bash commands in a sandboxed environment. The working directory, variables and files stay between calls. {NoNetwork} Returns stdout, stderr, exit code, and execution time.",
        Parameters = [new("command", "string", "The commands to execute"), Timeout],
    };

    /// <summary>Reads a file.</summary>
    public static ToolDefinition ReadFile { get; } = new()
    {
        Name = "read_file",
        Description = "Read a text file of the sandbox.",
        Parameters = [Path("The file")],
    };

    /// <summary>Writes a file.</summary>
    public static ToolDefinition WriteFile { get; } = new()
    {
        Name = "write_file",
        Description = "Write a text file of the sandbox whole, replacing what is there and making missing directories.",
        Parameters = [Path("The file"), new("content", "string", "What the file shall hold")],
    };

    /// <summary>Lists a directory.</summary>
    public static ToolDefinition ListFiles { get; } = new()
    {
        Name = "list_files",
        Description = "List the files and directories in a directory of the sandbox, with their sizes.",
        Parameters = [Path("The directory")],
    };

    private static ToolParameter Timeout => new("timeout", "integer", "Max execution time in seconds (default 30)") { Required = false, Default = 30 };

    private static ToolParameter Path(string what) => new("path", "string", $"{what}, as an absolute path; files you make belong in /workspace");

    private static string Installed(TemplateInfo template)
    {
        var python = template.Languages.TryGetValue("python", out var version) ? $"Python {version}" : "Python";
        return template.Packages.Count == 0
            ? $"{python}, standard library only."
            : $"{python}, standard library, and: {string.Join(", ", template.Packages.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key} {p.Value}"))}.";
    }
}
