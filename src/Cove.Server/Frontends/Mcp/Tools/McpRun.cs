using ModelContextProtocol.Protocol;

namespace Cove.Server.Frontends.Mcp.Tools;

/// <summary>One run, from its request to the result of the call: in a sandbox of the caller's, or in a fresh one that goes after it.</summary>
internal sealed class McpRun(McpCall call, RunRequest request, TimeProvider time)
{
    private static readonly TimeSpan _usual = TimeSpan.FromSeconds(30);

    /// <summary>How long a fresh sandbox outlives its run at most, should deleting it ever fail.</summary>
    private static readonly TimeSpan _rest = TimeSpan.FromMinutes(1);

    private ICove Cove => call.Caller.Cove;

    public async Task<CallToolResult> GoAsync(string? sandbox, double? seconds, CancellationToken cancellationToken)
    {
        var timed = request with { Timeout = McpInput.Seconds(seconds, "timeout_seconds", 0.1, 3600) ?? _usual, CorrelationId = call.Caller.CorrelationId };
        if (sandbox is not null)
        {
            return await RunAsync(McpInput.Sandbox(sandbox), stays: true, timed, cancellationToken);
        }

        var fresh = (await Cove.CreateSandboxAsync(new SandboxRequest { MaxLifetime = timed.Timeout + _rest }, cancellationToken)).Id;
        call.Caller.Lives(fresh, true);
        try
        {
            return await RunAsync(fresh, stays: false, timed, cancellationToken);
        }
        finally
        {
            // Not awaited: the result is known, and nobody else can reach the sandbox.
            _ = EndAsync(fresh);
        }
    }

    private async Task<CallToolResult> RunAsync(SandboxId sandbox, bool stays, RunRequest timed, CancellationToken cancellationToken)
    {
        var output = new RunGathering();
        await using (var progress = new RunProgress(call.Progress, time))
        {
            // A call that is cancelled has interrupted its run; it is read to its end, which comes soon then.
            await foreach (var next in Cove.RunAsync(sandbox, timed, cancellationToken))
            {
                output.Add(next);
                progress.Add(next);
            }
        }

        var end = output.End ?? throw new InvalidOperationException("A run ended without its end.");
        if (end is { Outcome: RunOutcome.Refused, Error: { } refused })
        {
            throw new CoveException(refused);
        }

        var files = stays ? await new RunFiles(Cove, sandbox).GatherAsync(output, cancellationToken) : new RunFileList([], [], []);
        var answer = output.Answer(end, stays ? sandbox : null, files);
        var links = files.Changed.Concat(files.Full).Select(McpFiles.Link);
        var result = McpResult.Of(answer, McpJson.Wire.RunAnswer, [.. output.Images, .. links]);
        result.IsError = end.Outcome is not (RunOutcome.Ok or RunOutcome.GuestError);
        return result;
    }

    private async Task EndAsync(SandboxId sandbox)
    {
        try
        {
            await Cove.DeleteSandboxAsync(sandbox, CancellationToken.None);
            call.Caller.Lives(sandbox, false);
        }
        catch (CoveException)
        {
            // Its lifetime ends it a minute after its run's time at the latest.
        }
    }
}
