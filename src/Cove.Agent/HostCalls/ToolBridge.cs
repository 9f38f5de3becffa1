using System.Collections.Frozen;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cove.Agent.HostCalls;

/// <summary>
/// Runs Python in a sandbox that can call tools of this process: <c>await tools.name(...)</c> inside is answered here by an <see cref="AIFunction"/>, be
/// it a function, a declared HTTP tool or an MCP server's. The code is hostile: its arguments are checked against the tool's schema before anything is
/// called, and it learns of a failure no more than its kind. Safe to use from several threads.
/// </summary>
public sealed class ToolBridge
{
    /// <summary>The engine's own timeout comes behind the bridge's, which can also cancel the function.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(5);

    private readonly ICove _cove;
    private readonly FrozenDictionary<string, BridgedTool> _tools;
    private readonly IReadOnlyList<HostTool> _declared;
    private readonly ToolBridgeOptions _options;
    private readonly ILogger _logger;

    /// <summary>Makes the tools callable from runs on a Cove, local or remote.</summary>
    /// <exception cref="ArgumentException">A tool's name or schema can't be used, two have one name, or an option does not hold.</exception>
    public ToolBridge(ICove cove, IEnumerable<AIFunction> tools, ToolBridgeOptions? options = null, ILogger? logger = null)
    {
        ArgumentNullException.ThrowIfNull(cove);
        ArgumentNullException.ThrowIfNull(tools);
        (_cove, _options, _logger) = (cove, options ?? new ToolBridgeOptions(), logger ?? NullLogger.Instance);
        _options.Check();
        var bridged = tools.Select(t => new BridgedTool(t)).ToList();
        if (bridged.GroupBy(t => t.Name, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw new ArgumentException($"Two tools are named '{twice.Key}'; give each its own name.", nameof(tools));
        }

        _tools = bridged.ToFrozenDictionary(t => t.Name, StringComparer.Ordinal);
        _declared = [.. bridged.Select(t => t.Declaration)];
    }

    /// <summary>The tools as they are declared to runs.</summary>
    public IReadOnlyList<HostTool> Tools => _declared;

    /// <summary>
    /// Runs code and answers its tool calls, side by side, while the events are enumerated; the last one is <see cref="RunCompleted"/>. Calls in
    /// progress are cancelled when the run ends. Cancelling the token interrupts the run.
    /// </summary>
    public IAsyncEnumerable<RunEvent> RunAsync(SandboxId sandbox, RunRequest request, CancellationToken cancellationToken = default) =>
        RunAsync(sandbox, request, null, cancellationToken);

    /// <inheritdoc cref="RunAsync(SandboxId, RunRequest, CancellationToken)"/>
    /// <param name="sandbox">Where.</param>
    /// <param name="request">The code.</param>
    /// <param name="heard">Told of this run's calls, as <see cref="ToolBridgeOptions.Audit"/> is of all, and of the last one before the enumeration ends.</param>
    /// <param name="cancellationToken">Interrupts the run.</param>
    public async IAsyncEnumerable<RunEvent> RunAsync(
        SandboxId sandbox, RunRequest request, Action<HostCallRecord>? heard, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        await using var answers = new BridgedRun(_cove, sandbox, request.CorrelationId, _tools, _options, heard, _logger);
        await foreach (var next in _cove.RunAsync(sandbox, Declare(request), cancellationToken).WithCancellation(CancellationToken.None))
        {
            answers.Hear(next);
            yield return next;
        }
    }

    /// <summary>What a model is told of the tools beside the description of <c>run_python</c>; empty without tools.</summary>
    public string Describe()
    {
        if (_declared.Count == 0)
        {
            return "";
        }

        var text = new StringBuilder("The code can call these tools: `await tools.NAME(argument=value)` returns the tool's result; a failure raises ToolCallError. ")
            .Append("`help(tools.NAME)` tells more. Call several side by side with asyncio.gather.");
        foreach (var tool in _declared)
        {
            text.Append("\n- ").Append(tool.Name).Append(BridgedTool.Signature(tool.InputSchema)).Append(": ").Append(FirstLine(tool.Description ?? ""));
        }

        return text.ToString();
    }

    private static string FirstLine(string description) => Cove.Agent.Tools.Excerpts.Short(description.Split('\n')[0], 200);

    private RunRequest Declare(RunRequest request)
    {
        if (request.Tools is { Count: > 0 } || request.ToolCallTimeout is not null || request.MaxToolCalls is not null)
        {
            throw new ArgumentException("The request has Tools, ToolCallTimeout or MaxToolCalls of its own; leave them out, the bridge sets them.", nameof(request));
        }

        return _declared.Count == 0 ? request : request with
        {
            Tools = _declared,
            ToolCallTimeout = _options.CallTimeout + (_options.Approve is null ? TimeSpan.Zero : _options.ApprovalTimeout) + Slack,
            MaxToolCalls = _options.MaxCalls,
        };
    }
}
