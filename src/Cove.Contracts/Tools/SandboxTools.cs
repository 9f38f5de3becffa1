namespace Cove.Tools;

/// <summary>The tools a sandbox offers to a model. Their descriptions say what its template was found to hold, never what somebody hopes it does.</summary>
public static class SandboxTools
{
    /// <summary>The name models know the persistent shell by (<c>bash_20250124</c>).</summary>
    public const string BashName = "bash";

    /// <summary>The name models know the text editor by (<c>text_editor_20250728</c>).</summary>
    public const string EditorName = "str_replace_based_edit_tool";

    /// <summary>The name models know the memory by (<c>memory_20250818</c>).</summary>
    public const string MemoryName = "memory";

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
    /// <param name="template">What its sandbox started from; null: nothing is said of what is installed.</param>
    public static ToolDefinition RunPython(TemplateInfo? template) => new()
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

    /// <summary>bash as Anthropic's models are trained on it: one shell, both streams in one text.</summary>
    public static ToolDefinition Bash { get; } = new()
    {
        Name = BashName,
        Description = $"Run commands in a persistent bash session of the sandbox. The working directory, variables and files stay between calls. {NoNetwork} "
            + "Returns standard output and standard error as one text. Give restart alone for a fresh session.",
        Parameters =
        [
            new("command", "string", "The commands to run. Needed unless restart is given") { Required = false },
            new("restart", "boolean", "true: end the session and begin a new one; its variables and working directory are lost, files stay") { Required = false },
        ],
    };

    /// <summary>The text editor as Anthropic's models are trained on it.</summary>
    public static ToolDefinition Editor { get; } = new()
    {
        Name = EditorName,
        Description = "View, create and edit text files of the sandbox. view shows a file with line numbers, or a directory two levels deep; create writes a whole file; "
            + "str_replace replaces a text that occurs exactly once; insert adds text after a line.",
        Parameters =
        [
            new("command", "string", "What to do") { OneOf = ["view", "create", "str_replace", "insert"] },
            Path("The file, or for view also a directory"),
            new("view_range", "array", "For view of a file: first and last line, from 1; -1 as the last is the end of the file") { Required = false, ElementType = "integer" },
            new("file_text", "string", "For create: what the file shall hold") { Required = false },
            new("old_str", "string", "For str_replace: the text to replace, exactly as it is in the file") { Required = false },
            new("new_str", "string", "For str_replace: the text to put in its place") { Required = false },
            new("insert_line", "integer", "For insert: the line to insert after; 0 for the beginning of the file") { Required = false },
            new("insert_text", "string", "For insert: the text to insert") { Required = false },
        ],
    };

    /// <summary>A memory that outlives the sandbox, as Anthropic's models are trained on it.</summary>
    public static ToolDefinition Memory { get; } = new()
    {
        Name = MemoryName,
        Description = "Keep notes that outlive this conversation, as text files under /memories. View /memories before you begin, and write down what will be worth knowing later.",
        Parameters =
        [
            new("command", "string", "What to do") { OneOf = ["view", "create", "str_replace", "insert", "delete", "rename"] },
            new("path", "string", "The file or directory, beginning with /memories; for all commands but rename") { Required = false },
            new("view_range", "array", "For view of a file: first and last line, from 1; -1 as the last is the end of the file") { Required = false, ElementType = "integer" },
            new("file_text", "string", "For create: what the file shall hold") { Required = false },
            new("old_str", "string", "For str_replace: the text to replace, exactly as it is in the file") { Required = false },
            new("new_str", "string", "For str_replace: the text to put in its place; left out, the old text is removed") { Required = false },
            new("insert_line", "integer", "For insert: the line to insert after; 0 for the beginning of the file") { Required = false },
            new("insert_text", "string", "For insert: the text to insert") { Required = false },
            new("old_path", "string", "For rename: what it is called now") { Required = false },
            new("new_path", "string", "For rename: what it shall be called") { Required = false },
        ],
    };

    private static ToolParameter Timeout => new("timeout", "integer", "Max execution time in seconds (default 30)") { Required = false, Default = 30 };

    private static ToolParameter Path(string what) => new("path", "string", $"{what}, as an absolute path; files you make belong in /workspace");

    private static string Installed(TemplateInfo? template)
    {
        if (template is null)
        {
            return "Python with its standard library.";
        }

        var python = template.Languages.TryGetValue("python", out var version) ? $"Python {version}" : "Python";
        return template.Packages.Count == 0
            ? $"{python}, standard library only."
            : $"{python}, standard library, and: {string.Join(", ", template.Packages.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key} {p.Value}"))}.";
    }
}
