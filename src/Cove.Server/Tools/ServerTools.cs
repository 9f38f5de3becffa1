using Cove.Agent.HttpTools;
using Cove.Agent.Secrets;
using Cove.Agent.Tools;
using Cove.Server.Hosting;
using Cove.Server.Settings;
using Microsoft.Extensions.Logging;

namespace Cove.Server.Tools;

/// <summary>The tools that files declare, in the one place where every protocol of a server takes them from.</summary>
internal sealed class ServerTools : IDisposable
{
    /// <summary>Names that sandboxes' own tools have in the same lists.</summary>
    private static readonly HashSet<string> _taken = new(StringComparer.Ordinal)
    {
        "execute_python_code", "run_python", "run_bash", "bash", "read_file", "write_file", "list_files", "run_code", "run_command", "create_sandbox", "close_sandbox", "list_sandboxes",
    };

    private readonly HttpToolset? _set;
    private readonly Dictionary<string, HttpTool> _byName;

    private ServerTools(HttpToolset? set)
    {
        _set = set;
        _byName = (set?.Tools ?? []).ToDictionary(tool => tool.Name, StringComparer.Ordinal);
    }

    /// <summary>None.</summary>
    public static ServerTools None { get; } = new(null);

    /// <summary>All of them, in the order of their declarations.</summary>
    public IReadOnlyList<AgentTool> All => _set ?? (IReadOnlyList<AgentTool>)[];

    /// <summary>All of them, as what they are.</summary>
    public IReadOnlyList<HttpTool> Http => _set?.Tools ?? [];

    /// <summary>Reads what the options name, and sees to it that every secret is there.</summary>
    public static async Task<ServerTools> LoadAsync(ServerOptions options, string version, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken)
    {
        if (options.ToolFiles.Count == 0)
        {
            return None;
        }

        var set = HttpToolset.Load(options.ToolFiles, SecretStore.Standard(options.SecretsFile), new HttpToolsetOptions { Time = time, Log = loggers.CreateLogger<HttpToolset>(), UserAgent = "cove/" + version });
        try
        {
            await set.CheckSecretsAsync(cancellationToken);
            return Of(set);
        }
        catch
        {
            set.Dispose();
            throw;
        }
    }

    /// <summary>A toolset, which is disposed with this.</summary>
    public static ServerTools Of(HttpToolset set) => set.FirstOrDefault(tool => _taken.Contains(tool.Name)) is { } taken
        ? throw Problems.Bad("invalid_tool_file", $"A declared tool is called '{taken.Name}', as a tool of sandboxes is.", "Give it another name.")
        : new ServerTools(set);

    public HttpTool? Find(string name) => _byName.GetValueOrDefault(name);

    public void Dispose() => _set?.Dispose();
}
