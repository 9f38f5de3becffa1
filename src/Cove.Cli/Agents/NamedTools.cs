using Cove.Agent.HostCalls;
using Cove.Agent.HttpTools;
using Cove.Agent.Loop;
using Cove.Agent.Mcp;
using Cove.Agent.Secrets;
using Cove.Agent.Tools;
using Cove.Agent.Tools.Sandbox;
using Cove.Cli.Running;

namespace Cove.Cli.Agents;

/// <summary>The tools of files that were named: declared HTTP tools, and those of MCP servers. The model calls them, and so does the code it writes.</summary>
internal sealed class NamedTools : IAsyncDisposable
{
    private static readonly TimeSpan _longest = TimeSpan.FromHours(12);

    private readonly List<McpToolset> _servers = [];
    private readonly List<AgentTool> _all = [];
    private HttpToolset? _declared;

    private NamedTools()
    {
    }

    public IReadOnlyList<AgentTool> All => _all;

    /// <summary>Reads the files and connects to the servers: what is wrong shows before a sandbox is made.</summary>
    public static async Task<NamedTools> OpenAsync(IReadOnlyList<string> toolFiles, IReadOnlyList<string> serverFiles, SecretStore secrets, TimeProvider time, CancellationToken cancellationToken)
    {
        var tools = new NamedTools();
        try
        {
            if (toolFiles.Count > 0)
            {
                tools.Add(tools._declared = HttpToolset.Load(toolFiles, secrets, new HttpToolsetOptions { Time = time }), "--tools");
            }

            foreach (var file in serverFiles)
            {
                var servers = await McpToolset.ConnectAsync(file, new McpToolsetOptions { Time = time, Variable = name => Known(name, secrets.Redactor) }, cancellationToken);
                tools._servers.Add(servers);
                tools.Add(servers.Tools, "--mcp " + file);
            }

            return tools;
        }
        catch
        {
            await tools.DisposeAsync();
            throw;
        }
    }

    /// <summary>What answers the calls of code, judged as the model's own calls are; null without tools.</summary>
    public ToolBridge? Bridge(ICove cove, AgentOptions options, TimeProvider time, Screen screen)
    {
        var chosen = new BridgeableTools(_all);
        foreach (var (name, why) in chosen.LeftOut)
        {
            screen.Notice($"the tool {name} can be called by the model, but not by its code: {why}.");
        }

        return chosen.Fitting.Count == 0 ? null : new ToolBridge(cove, chosen.Fitting, new ToolBridgeOptions
        {
            Time = time,
            Approve = HostCallApproval.By(chosen.Fitting, options),
            // The run as a whole has a time: a person need not be quicker than that.
            ApprovalTimeout = options.Timeout < _longest ? options.Timeout : _longest,
            // A tool that takes longer than its own limit says so itself, in better words.
            CallTimeout = TimeSpan.FromMinutes(5),
        });
    }

    public async ValueTask DisposeAsync()
    {
        _declared?.Dispose();
        foreach (var server in _servers)
        {
            await server.DisposeAsync();
        }
    }

    private void Add(IEnumerable<AgentTool> tools, string origin)
    {
        foreach (var tool in tools)
        {
            if (SandboxToolset.Names.Contains(tool.Name) || _all.Exists(other => other.Name == tool.Name))
            {
                throw Errors.Usage("tool_name", $"{origin} has a tool '{tool.Name}', and another one has that name.", "Give each tool a name of its own, or leave one of the two out.");
            }

            _all.Add(tool);
        }
    }

    /// <summary>A variable that a server's entry names. It is a key more often than not: from now on it is in no transcript.</summary>
    private static string? Known(string name, Redactor redactor)
    {
        var value = Environment.GetEnvironmentVariable(name);
        if (value is { Length: >= Secret.MinimumLength and <= Secret.MaximumLength } && name is not ("PATH" or "HOME" or "LANG") && SecretName.IsAcceptable(name) && !value.Any(char.IsControl))
        {
            redactor.Add(new Secret(name, value));
        }

        return value;
    }
}
