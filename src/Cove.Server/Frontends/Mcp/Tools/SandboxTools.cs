using System.ComponentModel;
using System.Text.Json.Serialization;
using Cove.Server.Hosting;
using ModelContextProtocol.Protocol;

namespace Cove.Server.Frontends.Mcp.Tools;

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record CreateSandboxInput
{
    [Description("The template to start from. Default python-data.")]
    public string? Template { get; init; }

    [Description("Memory of the whole sandbox in MiB, files in it included. Default: the template's.")]
    public int? MemoryMib { get; init; }

    [Description("Environment variables.")]
    public Dictionary<string, string>? Environment { get; init; }

    [Description("It ends after this many seconds without a call. Default 600; 1 to 86400.")]
    public double? IdleTimeoutSeconds { get; init; }

    [Description("It ends this many seconds after its creation, whatever it does. Default 3600; 1 to 2592000.")]
    public double? LifetimeSeconds { get; init; }
}

internal sealed record SandboxAnswer
{
    [Description("The handle: pass it to the other tools.")]
    public required string SandboxId { get; init; }

    [Description("The template it started from.")]
    public required string Template { get; init; }

    [Description("creating, ready, ending or ended.")]
    public required SandboxState State { get; init; }

    [Description("When it was created, UTC.")]
    public required DateTimeOffset CreatedAt { get; init; }

    [Description("When it ends whatever it does, UTC.")]
    public required DateTimeOffset ExpiresAt { get; init; }

    [Description("It ends after this many seconds without a call.")]
    public required double IdleTimeoutSeconds { get; init; }

    public static SandboxAnswer From(SandboxInfo info) => new()
    {
        SandboxId = info.Id.Value,
        Template = info.Template,
        State = info.State,
        CreatedAt = info.CreatedAt.ToUniversalTime(),
        ExpiresAt = info.ExpiresAt.ToUniversalTime(),
        IdleTimeoutSeconds = info.IdleTimeout.TotalSeconds,
    };
}

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record SandboxInput
{
    [Description("The sandbox, as create_sandbox returned it.")]
    public required string SandboxId { get; init; }
}

internal sealed record ClosedAnswer
{
    [Description("The sandbox that is gone.")]
    public required string SandboxId { get; init; }

    [Description("Always true.")]
    public required bool Closed { get; init; }
}

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record ListSandboxesInput
{
    [Description("Where the list before this one ended: its next_cursor.")]
    public string? Cursor { get; init; }
}

internal sealed record SandboxListAnswer
{
    [Description("Sandboxes that have not ended, oldest first.")]
    public required IReadOnlyList<SandboxAnswer> Sandboxes { get; init; }

    [Description("Where the next list begins; null when this is the last.")]
    public required string? NextCursor { get; init; }
}

/// <summary>Makes a sandbox that stays.</summary>
internal sealed class CreateSandboxTool() : McpTool<CreateSandboxInput, SandboxAnswer>(McpJson.Wire.CreateSandboxInput, McpJson.Wire.SandboxAnswer)
{
    public override string Name => "create_sandbox";

    public override Scopes Needs => Scopes.Write;

    protected override string Title => "Create a sandbox";

    protected override string Description(IReadOnlyList<TemplateInfo> templates) =>
        "Creates an isolated Linux computer in which variables, files and processes stay between calls, and returns its sandbox_id. "
        + $"Close it with close_sandbox when it is no longer needed. There is no network. Templates: {TemplateWords.All(templates)}";

    protected override async Task<CallToolResult> AnswerAsync(CreateSandboxInput input, McpCall call, CancellationToken cancellationToken)
    {
        var request = new SandboxRequest
        {
            Template = input.Template!,
            Limits = input.MemoryMib is { } mib ? new SandboxLimitsRequest { MemoryBytes = (long)mib << 20 } : null,
            Environment = input.Environment,
            IdleTimeout = McpInput.Seconds(input.IdleTimeoutSeconds, "idle_timeout_seconds", 1, 86_400),
            MaxLifetime = McpInput.Seconds(input.LifetimeSeconds, "lifetime_seconds", 1, 2_592_000),
        };
        var made = await call.Caller.Cove.CreateSandboxAsync(request, cancellationToken);
        call.Caller.Lives(made.Id, true);
        return Result(SandboxAnswer.From(made));
    }
}

/// <summary>Ends a sandbox.</summary>
internal sealed class CloseSandboxTool() : McpTool<SandboxInput, ClosedAnswer>(McpJson.Wire.SandboxInput, McpJson.Wire.ClosedAnswer)
{
    public override string Name => "close_sandbox";

    public override Scopes Needs => Scopes.Write;

    protected override string Title => "Close a sandbox";

    protected override ToolAnnotations Hints => new() { ReadOnlyHint = false, DestructiveHint = true, IdempotentHint = true, OpenWorldHint = false };

    protected override string Description(IReadOnlyList<TemplateInfo> templates) => "Ends a sandbox and everything in it: processes, variables and files are gone.";

    protected override async Task<CallToolResult> AnswerAsync(SandboxInput input, McpCall call, CancellationToken cancellationToken)
    {
        var id = McpInput.Sandbox(input.SandboxId);
        await call.Caller.Cove.DeleteSandboxAsync(id, cancellationToken);
        call.Caller.Lives(id, false);
        return Result(new ClosedAnswer { SandboxId = id.Value, Closed = true });
    }
}

/// <summary>Lists the caller's sandboxes.</summary>
internal sealed class ListSandboxesTool() : McpTool<ListSandboxesInput, SandboxListAnswer>(McpJson.Wire.ListSandboxesInput, McpJson.Wire.SandboxListAnswer)
{
    /// <summary>So many fit into a result that a model reads.</summary>
    private const int PageSize = 50;

    public override string Name => "list_sandboxes";

    protected override string Title => "List sandboxes";

    protected override string Description(IReadOnlyList<TemplateInfo> templates) => "Lists your sandboxes that have not ended.";

    protected override async Task<CallToolResult> AnswerAsync(ListSandboxesInput input, McpCall call, CancellationToken cancellationToken)
    {
        var page = await call.Caller.Cove.ListSandboxesAsync(new SandboxFilter { Limit = PageSize, Cursor = input.Cursor }, cancellationToken);
        return Result(new SandboxListAnswer { Sandboxes = [.. page.Sandboxes.Select(SandboxAnswer.From)], NextCursor = page.NextCursor });
    }
}
