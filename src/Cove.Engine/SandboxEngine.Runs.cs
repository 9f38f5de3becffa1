using System.Runtime.CompilerServices;
using Cove.Engine.Runs;
using Cove.Engine.Sandboxes;

namespace Cove.Engine;

public sealed partial class SandboxEngine
{
    /// <inheritdoc/>
    /// <remarks>
    /// A refused run yields its <see cref="RunCompleted"/> alone. After a cancellation the events go on to the terminal one;
    /// who leaves the enumeration early has the run interrupted and waits until it ended.
    /// </remarks>
    public async IAsyncEnumerable<RunEvent> RunAsync(
        SandboxId sandbox, RunRequest request, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var running = Live();
        var (found, run) = Admit(sandbox, request, out var refusal);
        if (found is null || run is null)
        {
            yield return running.Refused(refusal!);
            yield break;
        }

        var pipeline = new RunPipeline(found, run, request, running.Settings).RunToEndAsync();
        await using var registration = cancellationToken.UnsafeRegister(static state => ((Run)state!).Stop.Request(StopReason.Interrupt), run);
        try
        {
            await foreach (var next in run.Log.ReadAsync(after: 0, CancellationToken.None))
            {
                yield return next;
            }
        }
        finally
        {
            run.Stop.Request(StopReason.Interrupt); // of a run that ended: nothing
            await pipeline;
        }
    }

    /// <inheritdoc/>
    public Task InterruptRunAsync(SandboxId sandbox, RunId run, CancellationToken cancellationToken = default) => StopRun(sandbox, run, StopReason.Interrupt);

    /// <inheritdoc/>
    public Task KillRunAsync(SandboxId sandbox, RunId run, CancellationToken cancellationToken = default) => StopRun(sandbox, run, StopReason.Kill);

    /// <inheritdoc/>
    public async Task<RunInfo> StartRunAsync(SandboxId sandbox, RunRequest request, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(request);
        var running = Live();
        var (found, run) = Admit(sandbox, request, out var refusal);
        if (found is null || run is null)
        {
            throw new CoveException(refusal!);
        }

        _ = new RunPipeline(found, run, request, running.Settings).RunToEndAsync(); // never throws, and ends by itself
        if (run.Log.Info is { } begun)
        {
            return begun; // mostly over already
        }

        await foreach (var first in run.Log.ReadAsync(after: 0, CancellationToken.None))
        {
            if (first is RunCompleted { Result: { Outcome: RunOutcome.Refused, Error: { } error } })
            {
                throw new CoveException(error);
            }

            break;
        }

        return run.Log.Info!;
    }

    private (Sandbox? Sandbox, Run? Run) Admit(SandboxId id, RunRequest request, out RunError? refusal)
    {
        try
        {
            var sandbox = _sandboxes.Open(Checked(id));
            refusal = RunRules.Check(request);
            var run = refusal is null ? sandbox.Admit(request.Id, out refusal) : null;
            if (run is not null && request.KeepStdinOpen)
            {
                run.Stdin = new RunStdin(run.Id, _time);
            }

            return (sandbox, run);
        }
        catch (CoveException exception)
        {
            refusal = exception.Error;
            return (null, null);
        }
    }

    private Task StopRun(SandboxId sandbox, RunId run, StopReason reason)
    {
        if (_sandboxes.FindToEnd(Checked(sandbox))?.FindRun(run) is { } found)
        {
            found.Stop.Request(reason);
        }

        return Task.CompletedTask;
    }
}
