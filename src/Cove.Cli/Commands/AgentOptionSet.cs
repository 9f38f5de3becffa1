using System.CommandLine;
using Cove.Agent.Loop;
using Cove.Agent.Permissions;
using Cove.Cli.Agents;

namespace Cove.Cli.Commands;

/// <summary>The options of <c>cove agent</c>.</summary>
internal sealed class AgentOptionSet
{
    private readonly Option<string[]> _files = new("--file", "-f") { Description = "A file to put into /workspace under its own name. May be given often.", HelpName = "PATH" };
    private readonly Option<string?> _model = new("--model") { Description = "The model, or scripted:FILE for one that says what a script says and needs no key. Default: COVE_MODEL, else claude-opus-5-5.", HelpName = "NAME" };
    private readonly Option<string?> _baseUrl = new("--base-url") { Description = "Where the model is. Default: ANTHROPIC_BASE_URL, else the provider's own address.", HelpName = "URL" };
    private readonly Option<string?> _keyFile = new("--key-file") { Description = "A file with the model's key that only you can read. Default: the file COVE_MODEL_KEY_FILE names, else ANTHROPIC_API_KEY, else ANTHROPIC_AUTH_TOKEN.", HelpName = "FILE" };
    private readonly Option<string?> _transcript = new("--transcript") { Description = "Where to write what happens, as JSON lines. Must not be there yet.", HelpName = "FILE" };
    private readonly Option<string?> _resume = new("--resume") { Description = "A transcript whose conversation is gone on with, in a fresh sandbox: what it says is there, its files are not.", HelpName = "FILE" };
    private readonly Option<string?> _out = new("--out", "-o") { Description = "Where to save the files and figures that are made.", HelpName = "DIR" };
    private readonly Option<string[]> _tools = new("--tools") { Description = "A file of declared HTTP tools the model, and its code, may call. May be given often.", HelpName = "FILE" };
    private readonly Option<string[]> _mcp = new("--mcp") { Description = "A file that names MCP servers whose tools the model, and its code, may call: {\"mcpServers\": {…}}. May be given often.", HelpName = "FILE" };
    private readonly Option<string?> _secrets = new("--secrets") { Description = "A file with the secrets of declared tools that only you can read. The environment comes first.", HelpName = "FILE" };
    private readonly Option<int?> _retries = new("--max-retries") { Description = "How many more tries code gets after one that failed. Default: 3.", HelpName = "N" };
    private readonly Option<int?> _iterations = new("--max-iterations") { Description = "How often the model is asked with tools at hand. Default: 10.", HelpName = "N" };
    private readonly Option<long?> _tokens = new("--max-tokens-total") { Description = "The most tokens of all calls together. Default: any number.", HelpName = "N" };
    private readonly Option<int?> _output = new("--max-output-tokens") { Description = "The most tokens of one answer. Default: 16000.", HelpName = "N" };
    private readonly Option<TimeSpan?> _timeout = SandboxOptions.DurationOption("--timeout", "Wall time of the whole. Default: 30m.");
    private readonly Option<string[]> _allowed = new("--allowed-tools") { Description = "Rules of what is done without asking, as Claude Code writes them: Read, Bash(npm run test:*). May be given often.", HelpName = "RULES" };
    private readonly Option<string[]> _disallowed = new("--disallowed-tools") { Description = "Rules of what is refused, whatever else allows it. May be given often.", HelpName = "RULES" };
    private readonly Option<string?> _mode = new("--permission-mode") { Description = "What happens to calls that no rule speaks of: default, acceptEdits, plan or bypassPermissions. Default: bypassPermissions, since all happens in the sandbox; default with --allowed-tools.", HelpName = "MODE" };
    private readonly Option<bool> _ask = new("--ask") { Description = "Ask before every call of a tool." };
    private readonly Option<bool> _json = new("--json") { Description = "Print the result as one JSON object." };

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _files, _model, _baseUrl, _keyFile, _transcript, _resume, _out, _tools, _mcp, _secrets, _retries, _iterations, _tokens, _output, _timeout, _allowed, _disallowed, _mode, _ask, _json })
        {
            command.Options.Add(option);
        }

        command.Validators.Add(result =>
        {
            if (result.GetValue(_ask) && Console.IsInputRedirected)
            {
                result.AddError("--ask needs somebody to ask: standard input is no terminal.");
            }
        });
    }

    public AgentRequest Request(ParseResult parsed, Func<string> readQuestion, Func<TimeSpan, SandboxRequest> sandbox)
    {
        var options = Options(parsed);
        return new AgentRequest
        {
            ReadQuestion = readQuestion,
            Sandbox = sandbox(options.Timeout),
            ChooseModel = () => ModelChoice.Make(
                parsed.GetValue(_model), parsed.GetValue(_baseUrl), parsed.GetValue(_keyFile), parsed.GetValue(_output), Environment.GetEnvironmentVariable),
            Options = options,
            Files = parsed.GetValue(_files) ?? [],
            ToolFiles = parsed.GetValue(_tools) ?? [],
            ServerFiles = parsed.GetValue(_mcp) ?? [],
            SecretsFile = parsed.GetValue(_secrets),
            Transcript = parsed.GetValue(_transcript),
            Resume = parsed.GetValue(_resume),
            OutDirectory = parsed.GetValue(_out),
            Ask = parsed.GetValue(_ask),
            Json = parsed.GetValue(_json),
        };
    }

    private AgentOptions Options(ParseResult parsed)
    {
        var defaults = new AgentOptions();
        try
        {
            return Checked(parsed, defaults);
        }
        catch (ArgumentException wrong)
        {
            throw Errors.Usage("invalid_option", InFlags(wrong.Message), "cove agent --help shows the options.");
        }
    }

    /// <summary>The library speaks of its properties, the command of its flags.</summary>
    private static string InFlags(string message)
    {
        foreach (var (name, flag) in new[] { ("MaxIterations", "--max-iterations"), ("MaxCodeRetries", "--max-retries"), ("MaxTotalTokens", "--max-tokens-total"), ("Timeout", "--timeout") })
        {
            message = message.StartsWith(name + " ", StringComparison.Ordinal) ? flag + message[name.Length..] : message;
        }

        return message.Split(" (Parameter", 2)[0];
    }

    private AgentOptions Checked(ParseResult parsed, AgentOptions defaults)
    {
        var options = defaults with
        {
            MaxCodeRetries = parsed.GetValue(_retries) ?? defaults.MaxCodeRetries,
            MaxIterations = parsed.GetValue(_iterations) ?? defaults.MaxIterations,
            MaxTotalTokens = parsed.GetValue(_tokens),
            Timeout = parsed.GetValue(_timeout) ?? defaults.Timeout,
            Rules = Rules(parsed),
        };
        options.Check();
        return options;
    }

    /// <summary>Without rules a model may do in its sandbox what it likes: that is what the sandbox is for. Declared tools reach beyond it, and can be ruled on alike.</summary>
    private ToolRules Rules(ParseResult parsed)
    {
        var (allowed, disallowed) = (Split(parsed.GetValue(_allowed)), Split(parsed.GetValue(_disallowed)));
        var mode = parsed.GetValue(_mode) is { } name ? ToolRules.ParseMode(name)
            : allowed.Count > 0 ? PermissionMode.Default : PermissionMode.BypassPermissions;
        return new ToolRules(allowed, deny: disallowed, mode: mode);
    }

    private static IReadOnlyList<string> Split(string[]? rules) => [.. (rules ?? []).SelectMany(ToolRules.Split)];
}
