using Cove.Server.Access;
using Cove.Server.Frontends.Mcp.Tools;
using Cove.Server.Hosting;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;
using ModelContextProtocol;
using ModelContextProtocol.Protocol;
using ModelContextProtocol.Server;

namespace Cove.Server.Frontends.Mcp;

/// <summary>What the catalog is made of.</summary>
internal sealed record SandboxCatalogParts
{
    /// <summary>The program's version.</summary>
    public required string Version { get; init; }

    /// <summary>Where messages go.</summary>
    public required ILogger Log { get; init; }

    /// <summary>Further tools.</summary>
    public IReadOnlyList<AIFunction> Functions { get; init; } = [];

    /// <summary>The caller of messages that carry none: over a pipe there is one.</summary>
    public Func<CancellationToken, ValueTask<McpCaller>>? Caller { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;
}

/// <summary>What Cove offers to hosts of the Model Context Protocol: sandboxes as tools, their files as resources.</summary>
internal sealed class SandboxCatalog
{
    private const string Instructions =
        "Run code here rather than reckoning in your head. For one calculation call run_code. For work in several steps call create_sandbox once, pass its sandbox_id to every call, "
        + "and close_sandbox at the end. A program that fails is a normal result: read stderr and error, correct it, try again.";

    /// <summary>How long a host may keep lists: what is installed does not change while a server runs.</summary>
    private static readonly TimeSpan _keep = TimeSpan.FromMinutes(5);

    private readonly SandboxCatalogParts _parts;
    private readonly Dictionary<string, McpTool> _tools = new(StringComparer.Ordinal);
    private readonly Implementation _server;

    public SandboxCatalog(SandboxCatalogParts parts)
    {
        _parts = parts;
        _server = new Implementation { Name = "cove", Title = "Cove", Version = parts.Version };
        McpTool[] own =
        [
            new CreateSandboxTool(), new RunCodeTool(parts.Time), new RunCommandTool(parts.Time), new ReadFileTool(), new WriteFileTool(), new ListFilesTool(), new CloseSandboxTool(), new ListSandboxesTool(),
        ];
        foreach (var tool in own.Concat(parts.Functions.Select(function => (McpTool)new FunctionTool(function))))
        {
            if (!_tools.TryAdd(tool.Name, tool))
            {
                throw Problems.Bad("tool_twice", $"Two tools are called '{tool.Name}'.", "Give the declared one another name.");
            }
        }
    }

    /// <summary>The options of a new server that offers it.</summary>
    public McpServerOptions Options() => new()
    {
        ServerInfo = _server,
        ServerInstructions = Instructions,
        Capabilities = new ServerCapabilities { Tools = new ToolsCapability(), Resources = new ResourcesCapability() },
        Handlers = new McpServerHandlers
        {
            ListToolsHandler = ListToolsAsync,
            CallToolHandler = CallToolAsync,
            // Not a list of no files: results link to files and list_files finds them, and the protocol does not ask for such to be listed.
            ListResourcesHandler = static (_, _) => ValueTask.FromResult(new ListResourcesResult { Resources = [], TimeToLive = _keep, CacheScope = CacheScope.Public }),
            ListResourceTemplatesHandler = static (_, _) => ValueTask.FromResult(Templates()),
            ReadResourceHandler = ReadResourceAsync,
        },
    };

    private static ListResourceTemplatesResult Templates() => new()
    {
        ResourceTemplates = [new ResourceTemplate { Name = "sandbox_file", Title = "A file of a sandbox", UriTemplate = McpFiles.Template, Description = "A file by its path, for example cove://sandbox/SANDBOX_ID/workspace/report.csv; at most 1 MiB." }],
        TimeToLive = _keep,
        CacheScope = CacheScope.Public,
    };

    private async ValueTask<ListToolsResult> ListToolsAsync(RequestContext<ListToolsRequestParams> request, CancellationToken cancellationToken)
    {
        try
        {
            var caller = await CallerAsync(request, cancellationToken);
            var templates = await caller.Cove.ListTemplatesAsync(cancellationToken);
            var offered = _tools.Values.Where(tool => tool is not FunctionTool || caller.Scopes.HasFlag(tool.Needs));
            return new ListToolsResult { Tools = [.. offered.Select(tool => tool.Describe(templates))], TimeToLive = _keep, CacheScope = CacheScope.Private };
        }
        catch (CoveException failure)
        {
            throw McpFailures.Of(failure, null, null);
        }
    }

    private async ValueTask<CallToolResult> CallToolAsync(RequestContext<CallToolRequestParams> request, CancellationToken cancellationToken)
    {
        if (request.Params is not { Name: { } name } || !_tools.TryGetValue(name, out var tool))
        {
            throw new McpProtocolException("There is no such tool; tools/list names all.", McpErrorCode.InvalidParams);
        }

        McpCaller? caller = null;
        try
        {
            caller = await CallerAsync(request, cancellationToken);
            caller.Does(tool.Operation, tool.Needs.Change());
            if ((caller.Scopes & tool.Needs) != tool.Needs)
            {
                return Failed(caller, AccessErrors.ScopeMissing(tool.Needs, caller.Scopes));
            }

            return Traced(caller, await tool.CallAsync(new McpCall { Caller = caller, Arguments = request.Params.Arguments, Progress = Progress(request) }, cancellationToken));
        }
        catch (CoveException failure)
        {
            return Failed(caller, failure.Error);
        }
        catch (Exception failure) when (failure is not OperationCanceledException)
        {
            _parts.Log.ToolFailed(failure, tool.Name);
            return Failed(caller, Problems.Internal());
        }
    }

    /// <summary>An error as a result, which is on record like any other refusal.</summary>
    private static CallToolResult Failed(McpCaller? caller, RunError error)
    {
        caller?.Fails(error.Code, error.Evidence?.Limit);
        return Traced(caller, McpResult.Failed(error));
    }

    /// <summary>A result says what logs and the journal know its call by: whoever keeps results finds the rest with it.</summary>
    private static CallToolResult Traced(McpCaller? caller, CallToolResult result)
    {
        if (caller?.CorrelationId is { } id)
        {
            result.Meta ??= [];
            result.Meta["cove/correlation_id"] = id;
        }

        return result;
    }

    private async ValueTask<ReadResourceResult> ReadResourceAsync(RequestContext<ReadResourceRequestParams> request, CancellationToken cancellationToken)
    {
        McpCaller? caller = null;
        try
        {
            caller = await CallerAsync(request, cancellationToken);
            caller.Does("mcp_read_resource", false);
            return new ReadResourceResult { Contents = [await McpFiles.ReadAsync(caller.Cove, request.Params?.Uri ?? "", cancellationToken)], TimeToLive = TimeSpan.Zero, CacheScope = CacheScope.Private };
        }
        catch (CoveException failure)
        {
            caller?.Fails(failure.Error.Code, failure.Error.Evidence?.Limit);
            throw McpFailures.Of(failure, request.Params?.Uri, request.JsonRpcRequest.Context?.ProtocolVersion ?? request.Server.NegotiatedProtocolVersion);
        }
    }

    private static Func<ProgressNote, Task>? Progress(RequestContext<CallToolRequestParams> request) => request.Params?.ProgressToken is not { } token ? null
        : note => request.Server.NotifyProgressAsync(token, new ProgressNotificationValue { Progress = (float)note.Elapsed.TotalSeconds, Message = note.Message });

    private ValueTask<McpCaller> CallerAsync(MessageContext message, CancellationToken cancellationToken) =>
        McpCaller.Of(message) is { } stamped ? ValueTask.FromResult(stamped)
        : _parts.Caller?.Invoke(cancellationToken) ?? throw new InvalidOperationException("A message came that nobody has vouched for.");
}
