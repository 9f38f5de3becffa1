using Cove.Tools;

namespace Cove.Agent.Tools.Sandbox;

/// <summary>
/// <c>run_python {code, timeout}</c>: answers <c>{stdout, stderr, exit_code, execution_time}</c> and what else there is. It never throws for what the code or
/// the sandbox did: 124 says that the time was over (what was printed until then is kept), 127 that nothing is there to run it, 137 that it was killed, 1 that it failed.
/// </summary>
public sealed class RunPythonTool : DefinedTool, IDisposable
{
    private readonly ICove _cove;
    private readonly SandboxId _sandbox;
    private readonly SandboxToolOptions _options;
    private readonly SavedOutput _saved;
    private readonly MadeFiles _made;
    private readonly SemaphoreSlim _kernel = new(1, 1); // two calls of one answer wait for each other instead of finding the kernel busy

    /// <summary>The tool of one sandbox.</summary>
    public RunPythonTool(ICove cove, SandboxId sandbox, SandboxToolOptions? options = null)
        : base(Told(SandboxTools.RunPython(options?.Template), options?.HostCalls))
    {
        ArgumentNullException.ThrowIfNull(cove);
        (_cove, _sandbox, _options) = (cove, sandbox, options ?? new SandboxToolOptions());
        _options.Check();
        _saved = new SavedOutput(cove, sandbox);
        _made = new MadeFiles(cove, sandbox, _options.MaxArtifacts);
    }

    private protected override async Task<ToolResult> AnswerAsync(ToolCall call, ToolArguments input, CancellationToken cancellationToken)
    {
        var code = input.Text("code");
        List<string> notices = [];
        var timeout = Timeout(input.OptionalSeconds("timeout"), notices);
        await _kernel.WaitAsync(cancellationToken);
        try
        {
            var before = await _made.ListAsync(cancellationToken);
            var report = await RunReport.OfAsync(Run(new RunRequest { Code = code, Timeout = timeout, CorrelationId = call.CorrelationId }, call, cancellationToken), call, cancellationToken);
            var artifacts = _made.Since(before, before is null ? null : await _made.ListAsync(cancellationToken), notices);
            return await ResultAsync(report, timeout, artifacts, notices, cancellationToken);
        }
        finally
        {
            _kernel.Release();
        }
    }

    private IAsyncEnumerable<RunEvent> Run(RunRequest request, ToolCall call, CancellationToken cancellationToken) =>
        _options.HostCalls is { } bridge ? bridge.RunAsync(_sandbox, request, call.HostCalled, cancellationToken) : _cove.RunAsync(_sandbox, request, cancellationToken);

    private static ToolDefinition Told(ToolDefinition definition, HostCalls.ToolBridge? bridge) =>
        bridge?.Describe() is { Length: > 0 } more ? definition with { Description = definition.Description + "\n" + more } : definition;

    private protected override ToolResult InputRefused(ToolError error) => Nothing(error, 1, $"{error.Context} {error.Remediation}");

    /// <summary>No run, or one whose end is not known.</summary>
    private protected override ToolResult Failed(Exception failure)
    {
        var error = ToolErrors.Of(failure);
        var gone = error.ErrorCategory == ToolErrorCategory.Unavailable && failure is CoveException { Error.Code: not "connection_lost" };
        return Nothing(error, gone ? 127 : 1, gone ? "Sandbox not available. " + error.Context : "Sandbox error: " + error.Context);
    }

    private static ToolResult Nothing(ToolError error, int exitCode, string stderr) =>
        PythonResult.Of(new PythonResult { Stdout = "", Stderr = stderr, ExitCode = exitCode, ExecutionTime = 0 }, error, [], []);

    /// <summary>Frees what the tool holds; the sandbox and its kernel stay.</summary>
    public void Dispose() => _kernel.Dispose();

    private TimeSpan Timeout(double? seconds, List<string> notices)
    {
        if (seconds is null)
        {
            return _options.DefaultTimeout;
        }

        var given = Math.Clamp(seconds.Value, 1, _options.LongestTimeout.TotalSeconds);
        if (given != seconds)
        {
            notices.Add(FormattableString.Invariant($"timeout was {seconds:0.###} s and was brought to {given:0.###} s (1 to {_options.LongestTimeout.TotalSeconds:0.###})."));
        }

        return TimeSpan.FromSeconds(given);
    }

    private async Task<ToolResult> ResultAsync(
        RunReport report, TimeSpan timeout, IReadOnlyList<ToolArtifact> artifacts, List<string> notices, CancellationToken cancellationToken)
    {
        if (report.Result is not { } end)
        {
            return Failed(new InvalidOperationException("The run's events ended without its end."));
        }

        var pictures = Images.Of(report, _options, notices);
        notices.AddRange(report.Notices.Take(20).Select(n => Excerpts.Short(n, 1000)));
        var result = new PythonResult
        {
            Stdout = await _saved.CutAsync(report.Stdout, _options.MaxStdout, report.Run, "stdout", cancellationToken),
            Stderr = await _saved.CutAsync(Complaints(report, end, timeout), _options.MaxStderr, report.Run, "stderr", cancellationToken),
            ExitCode = ExitCode(end),
            ExecutionTime = Math.Round(end.Duration.TotalSeconds, 3),
            Result = report.Value is { } value ? await _saved.CutAsync(value, _options.MaxStderr, report.Run, "result", cancellationToken) : null,
            Displayed = report.Shown is { Length: > 0 } shown ? await _saved.CutAsync(shown, _options.MaxStderr, report.Run, "displayed", cancellationToken) : null,
            Images = pictures.Count == 0 ? null : pictures.Count,
            Files = artifacts.Count == 0 ? null : [.. artifacts.Select(a => a.Path)],
            Notices = notices.Count == 0 ? null : notices,
        };
        return PythonResult.Of(result, RunErrors.Of(end, timeout), pictures, artifacts);
    }

    /// <summary>What the code wrote to stderr, and after it what a script's end would have shown there.</summary>
    private static string Complaints(RunReport report, RunResult end, TimeSpan timeout)
    {
        var last = end switch
        {
            { Outcome: RunOutcome.Ok } => "",
            { Outcome: RunOutcome.TimedOut } => RunErrors.TimeoutText(timeout),
            { Error.Evidence.Traceback: { Length: > 0 } traceback } => traceback + "\n",
            { Error: { Code: "exit_code" } } => "",
            { Outcome: RunOutcome.Refused or RunOutcome.InfrastructureFailure } => "Sandbox error: " + end.Error?.Message,
            _ => end.Error?.Message ?? "",
        };
        return report.Stderr.Length == 0 || last.Length == 0 || report.Stderr.EndsWith('\n') ? report.Stderr + last : report.Stderr + "\n" + last;
    }

    private static int ExitCode(RunResult end) => end switch
    {
        { Outcome: RunOutcome.TimedOut } => 124,
        { Error.Code: "language_unavailable" } => 127,
        { Outcome: RunOutcome.Killed } => end.ExitCode ?? 137,
        { Outcome: RunOutcome.Refused or RunOutcome.InfrastructureFailure } => 1,
        { Outcome: RunOutcome.Ok } => 0,
        _ => end.ExitCode is { } code and not 0 ? code : 1,
    };
}
