using System.Text.RegularExpressions;
using Cove.Agent.Tools;
using Microsoft.Extensions.Logging;
using ModelContextProtocol.Client;

namespace Cove.Agent.Mcp;

/// <summary>
/// The tools of MCP servers, for our loop, programmatic calls and any .NET agent. Which servers is said by a file that is named: nothing is read
/// from the working directory. A server is a stranger: names, descriptions, schemas and results are bounded, and it may ask nothing back
/// (no sampling, no elicitation, no roots).
/// </summary>
public sealed partial class McpToolset : IAsyncDisposable
{
    private const int MostDescription = 4000;
    private const int MostSchema = 64 << 10;

    private readonly List<McpClient> _clients = [];
    private readonly List<AgentTool> _tools = [];

    private McpToolset()
    {
    }

    /// <summary>The tools, called <c>mcp__server__tool</c>.</summary>
    public IReadOnlyList<AgentTool> Tools => _tools;

    /// <summary>Connects to the servers that a file names (<c>{"mcpServers": {…}}</c>, as hosts write it) and lists their tools.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">Bounds and times. Default: as the options say.</param>
    /// <param name="cancellationToken">Gives up, and ends what was started.</param>
    /// <exception cref="CoveException">The file can't be used, or a server can't.</exception>
    public static async Task<McpToolset> ConnectAsync(string path, McpToolsetOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(path);
        var chosen = (options ?? new McpToolsetOptions()).Checked();
        var full = Path.GetFullPath(path);
        var toolset = new McpToolset();
        try
        {
            foreach (var (name, entry) in await McpServerEntry.ReadAsync(full, cancellationToken))
            {
                await toolset.AddAsync(name, entry, Path.GetDirectoryName(full)!, chosen, cancellationToken);
            }

            return toolset;
        }
        catch
        {
            await toolset.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends the connections, and the servers that were started.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients)
        {
            await client.DisposeAsync();
        }

        _clients.Clear();
    }

    private async Task AddAsync(string server, McpServerEntry entry, string directory, McpToolsetOptions options, CancellationToken cancellationToken)
    {
        using var late = new CancellationTokenSource(options.ConnectTimeout, options.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, late.Token);
        try
        {
            var client = await McpClient.CreateAsync(Transport(server, entry, directory, options), null, options.Loggers, either.Token);
            _clients.Add(client);
            var offered = await client.ListToolsAsync(cancellationToken: either.Token);
            _tools.AddRange(offered.Where(tool => IsAcceptable(server, tool)).Take(options.MaxTools).Select(tool => new McpRemoteTool(server, tool, options)));
        }
        catch (Exception failure) when (failure is not CoveException && !cancellationToken.IsCancellationRequested)
        {
            throw McpErrors.Unreachable(server, failure);
        }
    }

    private static IClientTransport Transport(string server, McpServerEntry entry, string directory, McpToolsetOptions options)
    {
        if (entry.Url is { } url)
        {
            var headers = entry.Headers?.ToDictionary(pair => pair.Key, pair => McpServerEntry.Expand(pair.Value, $"The header {pair.Key} of the server '{server}'", options.Variable));
            return new HttpClientTransport(new HttpClientTransportOptions { Endpoint = url, Name = server, TransportMode = HttpTransportMode.StreamableHttp, AdditionalHeaders = headers }, Http(), options.Loggers, ownsHttpClient: true);
        }

        var log = options.Loggers.CreateLogger<McpToolset>();
        return new StdioClientTransport(new StdioClientTransportOptions
        {
            Name = server,
            Command = entry.Command!,
            Arguments = [.. entry.Args ?? []],
            WorkingDirectory = directory,
            InheritEnvironmentVariables = false, // keys of ours are none of its business
            EnvironmentVariables = Variables(server, entry, options),
            StandardErrorLines = line => log.ServerSaid(server, line.Length <= 1000 ? line : line[..1000]),
        }, options.Loggers);
    }

    private static Dictionary<string, string?> Variables(string server, McpServerEntry entry, McpToolsetOptions options)
    {
        var all = new Dictionary<string, string?>();
        foreach (var name in new[] { "PATH", "HOME", "LANG" })
        {
            if (options.Variable(name) is { } value)
            {
                all[name] = value;
            }
        }

        foreach (var (name, value) in entry.Env ?? new Dictionary<string, string>())
        {
            all[name] = McpServerEntry.Expand(value, $"The variable {name} of the server '{server}'", options.Variable);
        }

        return all;
    }

    /// <summary>A redirection would take the headers, and a key in them, elsewhere.</summary>
    private static HttpClient Http() => new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { Timeout = Timeout.InfiniteTimeSpan };

    private static bool IsAcceptable(string server, McpClientTool tool) =>
        ToolName().IsMatch(tool.Name) && McpRemoteTool.NameOf(server, tool.Name).Length <= 128 && tool.Description.Length <= MostDescription && tool.JsonSchema.GetRawText().Length <= MostSchema;

    [GeneratedRegex("^[a-zA-Z0-9_-]{1,96}$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex ToolName();
}
