using System.Text;
using System.Text.Json;
using Cove.Agent.Tools;
using Microsoft.Extensions.AI;

namespace Cove.Agent.HostCalls;

/// <summary>
/// Chooses those of many tools that code in a sandbox can call. Others wrote them (an MCP server names its tools as it likes): one that does not fit the
/// bounds of a run is left out, with the reason, instead of failing every run.
/// </summary>
internal sealed class BridgeableTools
{
    private const int MostTools = 128;
    private const int MostDescriptionBytes = 16 << 10;
    private const int MostSchemaBytes = 64 << 10;
    private const int MostBytes = 512 << 10;

    private readonly List<AIFunction> _fitting = [];
    private readonly List<(string Name, string Why)> _leftOut = [];
    private readonly HashSet<string> _pythonNames = new(StringComparer.Ordinal);
    private int _bytes;

    /// <summary>Looks at each tool once, in order; the first ones are kept where there are too many.</summary>
    public BridgeableTools(IEnumerable<AIFunction> tools)
    {
        foreach (var tool in tools)
        {
            if (Refusal(tool) is { } why)
            {
                _leftOut.Add((tool.Name, why));
            }
            else
            {
                _fitting.Add(tool);
            }
        }
    }

    public IReadOnlyList<AIFunction> Fitting => _fitting;

    public IReadOnlyList<(string Name, string Why)> LeftOut => _leftOut;

    private string? Refusal(AIFunction tool)
    {
        var schema = tool.JsonSchema.ValueKind == JsonValueKind.Object ? Encoding.UTF8.GetByteCount(tool.JsonSchema.GetRawText()) : 0;
        var description = Encoding.UTF8.GetByteCount(tool.Description);
        if (_fitting.Count == MostTools)
        {
            return $"a run takes {MostTools} tools";
        }

        if (schema > MostSchemaBytes || description > MostDescriptionBytes || _bytes + schema + description > MostBytes)
        {
            return "its schema or description is too long";
        }

        try
        {
            _ = new BridgedTool(tool);
        }
        catch (ArgumentException unusable)
        {
            return Excerpts.OneLine(unusable.Message.Split(" (Parameter", 2)[0], 300).TrimEnd('.');
        }

        if (!_pythonNames.Add(tool.Name.Replace('-', '_')))
        {
            return "another tool has the same name in Python";
        }

        _bytes += schema + description;
        return null;
    }
}
