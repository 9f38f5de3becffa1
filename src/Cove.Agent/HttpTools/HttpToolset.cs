using System.Collections;
using Cove.Agent.HttpTools.Declarations;
using Cove.Agent.HttpTools.Sending;
using Cove.Agent.Secrets;
using Cove.Agent.Tools;
using Polly;

namespace Cove.Agent.HttpTools;

/// <summary>
/// Tools that files declare: each is one HTTP request. They share connections and, per host, a circuit. To be kept for as long as the tools are used,
/// and disposed then.
/// </summary>
public sealed class HttpToolset : IReadOnlyList<AgentTool>, IDisposable
{
    private readonly HttpSender _sender;
    private readonly SecretStore _secrets;
    private readonly IReadOnlyList<HttpTool> _tools;

    private HttpToolset(HttpSender sender, SecretStore secrets, IReadOnlyList<HttpTool> tools) => (_sender, _secrets, _tools) = (sender, secrets, tools);

    /// <inheritdoc/>
    public int Count => _tools.Count;

    /// <inheritdoc/>
    public AgentTool this[int index] => _tools[index];

    /// <summary>The tools, as what they are.</summary>
    internal IReadOnlyList<HttpTool> Tools => _tools;

    /// <summary>Reads a YAML or JSON file (docs/http-tools.md describes it). It must be named: none is looked for.</summary>
    /// <param name="path">The file; at most 1 MiB.</param>
    /// <param name="secrets">Where the secrets are that it refers to; looked up when a tool is called.</param>
    /// <param name="options">Clock, log and name; default: those of the options.</param>
    /// <exception cref="CoveException">The file is wrong; the message names file, line, field, value and what would be right.</exception>
    public static HttpToolset Load(string path, SecretStore secrets, HttpToolsetOptions? options = null) => Load([path], secrets, options);

    /// <inheritdoc cref="Load(string, SecretStore, HttpToolsetOptions?)"/>
    /// <param name="paths">Files; no two may declare tools of one name or route.</param>
    /// <param name="secrets">Where the secrets are.</param>
    /// <param name="options">Clock, log and name.</param>
    public static HttpToolset Load(IReadOnlyList<string> paths, SecretStore secrets, HttpToolsetOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(paths);
        ArgumentNullException.ThrowIfNull(secrets);
        options ??= new HttpToolsetOptions();
        options.Validate();
        var declared = new Dictionary<string, string>(StringComparer.Ordinal);
        var all = new List<HttpToolDeclaration>();
        foreach (var path in paths)
        {
            foreach (var tool in ToolFileReader.Read(path))
            {
                foreach (var name in new[] { tool.Name, tool.Route }.OfType<string>())
                {
                    if (!declared.TryAdd(name, path))
                    {
                        throw new SourceFile(Path.GetFullPath(path)).Bad(1, $"'{name}' is declared in {declared[name]}, too", "Give each tool a name and a route of its own.");
                    }
                }

                all.Add(tool);
            }
        }

        var sender = new HttpSender(options.Resolve, options.Time);
        var circuits = new Dictionary<(string, CircuitDeclaration), ResiliencePipeline<Attempt>>();
        return new HttpToolset(sender, secrets, [.. all.Select(tool => new HttpTool(tool, secrets, sender, new Tries(tool, CircuitOf(tool, circuits, options), options.Time, options.Log, options.Chance), options))]);
    }

    /// <summary>Sees to it that every secret the declarations refer to is there, so that a missing one is noticed when a server starts and not when a tool is called.</summary>
    /// <exception cref="CoveException">One is missing or can't be used.</exception>
    public async Task CheckSecretsAsync(CancellationToken cancellationToken = default)
    {
        foreach (var name in _tools.SelectMany(tool => tool.Declaration.Secrets).Distinct(StringComparer.Ordinal))
        {
            await _secrets.GetAsync(name, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public IEnumerator<AgentTool> GetEnumerator() => _tools.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Closes the connections.</summary>
    public void Dispose() => _sender.Dispose();

    private static ResiliencePipeline<Attempt> CircuitOf(HttpToolDeclaration tool, Dictionary<(string, CircuitDeclaration), ResiliencePipeline<Attempt>> circuits, HttpToolsetOptions options)
    {
        var host = tool.Url.Origin.Authority;
        if (!circuits.TryGetValue((host, tool.Circuit), out var circuit))
        {
            circuit = Sending.Tries.Circuit(host, tool.Circuit, options.Time, options.Log);
            circuits.Add((host, tool.Circuit), circuit);
        }

        return circuit;
    }
}
