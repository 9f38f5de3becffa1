using Cove.Engine;

namespace Cove.Benchmarks;

/// <summary>The calls that are timed.</summary>
internal sealed class SandboxWork(SandboxEngine engine, TimeProvider time)
{
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(1);

    /// <summary>Creates a sandbox and destroys it again; both are timed, and what goes on behind the destruction's answer.</summary>
    public async Task CreateAndDestroyAsync(string template, Series create, Series? destroy, Series? reap, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var sandbox = await engine.CreateSandboxAsync(new SandboxRequest { Template = template }, cancellationToken);
        create.Add(time.GetElapsedTime(started));
        started = time.GetTimestamp();
        await engine.DeleteSandboxAsync(sandbox.Id, cancellationToken);
        destroy?.Add(time.GetElapsedTime(started));
        started = time.GetTimestamp();
        while ((await engine.GetSandboxAsync(sandbox.Id, cancellationToken)).State != SandboxState.Ended)
        {
            await Task.Delay(_pause, time, cancellationToken);
        }

        reap?.Add(time.GetElapsedTime(started));
    }

    public async Task RunAsync(SandboxId sandbox, string code, Series series, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        RunResult? result = null;
        await foreach (var next in engine.RunAsync(sandbox, new RunRequest { Code = code }, cancellationToken))
        {
            result = (next as RunCompleted)?.Result ?? result;
        }

        series.Add(time.GetElapsedTime(started));
        Check(result);
    }

    /// <summary>Calls a tool again and again in one run; from call to call is one round trip: out of the guest, to its caller, and back.</summary>
    public async Task CallToolAsync(SandboxId sandbox, int calls, Series series, CancellationToken cancellationToken)
    {
        var request = new RunRequest { Code = $"for n in range({calls + 1}): await tools.echo(x=n)", Tools = [new HostTool { Name = "echo" }], MaxToolCalls = calls + 1, Id = RunId.New() };
        long? called = null;
        RunResult? result = null;
        await foreach (var next in engine.RunAsync(sandbox, request, cancellationToken))
        {
            if (next is RunToolCall call)
            {
                if (called is { } before)
                {
                    series.Add(time.GetElapsedTime(before));
                }

                called = time.GetTimestamp();
                await engine.AnswerToolCallAsync(sandbox, request.Id!.Value, call.CallId, HostAnswer.Of(call.Arguments), cancellationToken);
            }

            result = (next as RunCompleted)?.Result ?? result;
        }

        Check(result);
    }

    private static void Check(RunResult? result)
    {
        if (result?.Outcome != RunOutcome.Ok)
        {
            throw new InvalidOperationException($"a measured run ended as {result?.Outcome}: {result?.Error?.Message}");
        }
    }
}
