using System.Globalization;
using Cove.Tools;
using Microsoft.Extensions.AI;

namespace Cove.Agent.Tools.Sandbox;

/// <summary>
/// <c>bash</c> as Anthropic's models know it (<c>bash_20250124</c>): one persistent shell, <c>{command}</c> or <c>{restart: true}</c>, both streams as one text.
/// A failure keeps the words the models are trained on; the structured error follows them.
/// </summary>
public sealed class BashTool : DefinedTool, IDisposable
{
    private const string Kernel = "bash";

    private readonly ICove _cove;
    private readonly SandboxId _sandbox;
    private readonly SandboxToolOptions _options;
    private readonly SavedOutput _saved;
    private readonly SemaphoreSlim _shell = new(1, 1);

    /// <summary>The tool of one sandbox.</summary>
    public BashTool(ICove cove, SandboxId sandbox, SandboxToolOptions? options = null)
        : base(SandboxTools.Bash)
    {
        ArgumentNullException.ThrowIfNull(cove);
        (_cove, _sandbox, _options) = (cove, sandbox, options ?? new SandboxToolOptions());
        _options.Check();
        _saved = new SavedOutput(cove, sandbox);
    }

    private protected override async Task<ToolResult> AnswerAsync(ToolCall call, ToolArguments input, CancellationToken cancellationToken)
    {
        var restart = input.OptionalFlag("restart") == true;
        var command = input.OptionalText("command");
        if (restart)
        {
            // Not behind a command that is under way: what hangs is what a restart is for.
            return await RestartAsync(cancellationToken);
        }

        if (string.IsNullOrWhiteSpace(command))
        {
            throw new ToolInputException("The field 'command' is missing.", "Give 'command' as a string, or 'restart' as true.");
        }

        await _shell.WaitAsync(cancellationToken);
        try
        {
            var request = new RunRequest { Code = command, Language = Language.Bash, Timeout = _options.CommandTimeout, CorrelationId = call.CorrelationId };
            return await ResultAsync(await RunReport.OfAsync(_cove, _sandbox, request, call, cancellationToken), cancellationToken);
        }
        finally
        {
            _shell.Release();
        }
    }

    private protected override ToolResult InputRefused(ToolError error) => Said($"Error: {error.Context} {error.Remediation}", error);

    private protected override ToolResult Failed(Exception failure)
    {
        var error = ToolErrors.Of(failure);
        return Said("Error: " + error.Context, error);
    }

    private static ToolResult Said(string text, ToolError? error) => error is null ? ToolResult.Of(text)
        : new ToolResult { Content = [new TextContent(text), new TextContent(error.ToJson())], Error = error };

    private async Task<ToolResult> RestartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _cove.RestartKernelAsync(_sandbox, Kernel, cancellationToken);
        }
        catch (CoveException none) when (none.Error is { Category: ErrorCategory.NotFound, Code: "kernel_not_found" })
        {
            // None has been needed yet: the next command begins a fresh one.
        }

        return ToolResult.Of("Bash session restarted.");
    }

    private async Task<ToolResult> ResultAsync(RunReport report, CancellationToken cancellationToken)
    {
        if (report.Result is not { } end)
        {
            return Failed(new InvalidOperationException("The run's events ended without its end."));
        }

        var output = await _saved.CutAsync(report.Merged, _options.MaxText, report.Run, "output", cancellationToken);
        var notices = report.Notices.Take(20).Select(n => $"[{Excerpts.Short(n, 1000)}]");
        var error = RunErrors.Of(end, _options.CommandTimeout);
        var last = end switch
        {
            { Outcome: RunOutcome.TimedOut } => string.Create(CultureInfo.InvariantCulture, $"Error: command did not finish within {_options.CommandTimeout.TotalSeconds:0.###} seconds"),
            { Outcome: RunOutcome.GuestError } => $"Exit code {end.ExitCode ?? 1}",
            { Error: { } failure } => "Error: " + failure.Message,
            _ => "",
        };
        string[] parts = [output.TrimEnd('\n'), .. notices, last];
        return Said(string.Join('\n', parts.Where(p => p.Length > 0)), error);
    }

    /// <summary>Frees what the tool holds; the sandbox and its shell stay.</summary>
    public void Dispose() => _shell.Dispose();
}
