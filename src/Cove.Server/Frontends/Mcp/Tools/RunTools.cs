using System.ComponentModel;
using System.Text.Json.Serialization;
using Cove.Server.Hosting;
using ModelContextProtocol.Protocol;

namespace Cove.Server.Frontends.Mcp.Tools;

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record RunCodeInput
{
    [Description("The code. The value of its last expression comes back as result.")]
    public required string Code { get; init; }

    [Description("Its language. Default python.")]
    public Language? Language { get; init; }

    [Description("A sandbox from create_sandbox, whose variables and files stay. Default: a fresh one, gone after the call with all its files.")]
    public string? SandboxId { get; init; }

    [Description("Seconds after which it is stopped. Default 30; 0.1 to 3600.")]
    public double? TimeoutSeconds { get; init; }
}

[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record RunCommandInput
{
    [Description("A line for bash.")]
    public required string Command { get; init; }

    [Description("A sandbox from create_sandbox, whose files stay. Default: a fresh one, gone after the call with all its files.")]
    public string? SandboxId { get; init; }

    [Description("The working directory. Default /workspace.")]
    public string? WorkingDirectory { get; init; }

    [Description("What the command reads on its standard input. Default: nothing.")]
    public string? Stdin { get; init; }

    [Description("Seconds after which it is stopped. Default 30; 0.1 to 3600.")]
    public double? TimeoutSeconds { get; init; }
}

/// <summary>Runs code in a kernel.</summary>
internal sealed class RunCodeTool(TimeProvider time) : McpTool<RunCodeInput, RunAnswer>(McpJson.Wire.RunCodeInput, McpJson.Wire.RunAnswer)
{
    public override string Name => "run_code";

    public override Scopes Needs => Scopes.Write;

    protected override string Title => "Run code";

    protected override string Description(IReadOnlyList<TemplateInfo> templates) =>
        "Runs Python, bash or JavaScript in an isolated sandbox and returns what it wrote, the value of its last expression, its exit code, and figures as images. "
        + "Code that fails is a result too: read stderr and error, correct it, run it again. With a sandbox_id variables, imports and files stay between calls. "
        + $"There is no network, and nothing can be installed. The default template holds {TemplateWords.Default(templates)}";

    protected override async Task<CallToolResult> AnswerAsync(RunCodeInput input, McpCall call, CancellationToken cancellationToken)
    {
        var request = new RunRequest { Code = input.Code, Language = input.Language ?? Language.Python };
        return await new McpRun(call, request, time).GoAsync(input.SandboxId, input.TimeoutSeconds, cancellationToken);
    }
}

/// <summary>Runs a command.</summary>
internal sealed class RunCommandTool(TimeProvider time) : McpTool<RunCommandInput, RunAnswer>(McpJson.Wire.RunCommandInput, McpJson.Wire.RunAnswer)
{
    public override string Name => "run_command";

    public override Scopes Needs => Scopes.Write;

    protected override string Title => "Run a command";

    protected override string Description(IReadOnlyList<TemplateInfo> templates) =>
        "Runs a shell command in an isolated sandbox, beside whatever code runs there, and returns what it wrote and its exit code. "
        + "Each call is a shell of its own; run_code with the language bash keeps directory and variables. There is no network.";

    protected override async Task<CallToolResult> AnswerAsync(RunCommandInput input, McpCall call, CancellationToken cancellationToken)
    {
        var request = new RunRequest
        {
            ShellLine = input.Command,
            WorkingDirectory = input.WorkingDirectory,
            Stdin = input.Stdin is { } text ? System.Text.Encoding.UTF8.GetBytes(text) : null,
        };
        return await new McpRun(call, request, time).GoAsync(input.SandboxId, input.TimeoutSeconds, cancellationToken);
    }
}
