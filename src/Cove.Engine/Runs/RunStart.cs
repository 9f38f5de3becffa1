using Cove.Engine.Guest;
using Cove.Engine.Isolation;
using Cove.Engine.Kernels;
using Cove.Engine.Sandboxes;

namespace Cove.Engine.Runs;

/// <summary>
/// Starts the process of one run, a kernel or a command, and hears its interrupts, kills and deadline meanwhile. A process that
/// comes when nobody waits for it any more is killed.
/// </summary>
internal sealed class RunStart(Sandbox sandbox, Run run, RunClock clock, RunSettings settings)
{
    public ValueTask<(CellProcess? Process, Verdict? Verdict)> KernelAsync(Kernel kernel) =>
        kernel.Live is { } live ? new((live, null)) : StartKernelAsync(kernel);

    public async Task<(CellCommand? Command, Verdict? Verdict)> CommandAsync(CommandSpec spec)
    {
        var before = StartFailure.Hits(sandbox.Cell);
        var (command, stopped) = await UnlessStoppedAsync(async token =>
        {
            // The backend is not told of the token: a command it has started must come back to be killed.
            var starting = sandbox.Cell.StartCommandAsync(spec, sandbox.Limits, CancellationToken.None);
            try
            {
                return await starting.WaitAsync(Handshake.Limit, clock.Time, token);
            }
            catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
            {
                KillLate(starting);
                throw;
            }
        }, exception => Failed(before, Outcomes.CommandStartFailed(exception.Message)));
        return (command, stopped);
    }

    private async ValueTask<(CellProcess? Process, Verdict? Verdict)> StartKernelAsync(Kernel kernel)
    {
        run.Events.WriteStarted(); // it takes a while to come
        var before = StartFailure.Hits(sandbox.Cell);
        return await UnlessStoppedAsync(async token =>
        {
            var (process, stateLost) = await kernel.EnsureStartedAsync(token);
            if (stateLost)
            {
                run.Events.Notice("kernel_restarted", $"The kernel '{kernel.Name}' was started anew; variables of earlier runs are gone.");
                sandbox.Journal.Append("kernel_restarted", kernel: kernel.Name);
            }

            return process;
        }, exception =>
        {
            settings.Logger.KernelStartFailed(exception, kernel.Language);
            return Failed(before, Outcomes.KernelStartFailed(kernel.Language, exception.Message));
        });
    }

    private async Task<(T? Started, Verdict? Verdict)> UnlessStoppedAsync<T>(Func<CancellationToken, Task<T>> start, Func<Exception, Verdict> failed)
        where T : class
    {
        using var stopped = new CancellationTokenSource();
        using var deadline = clock.Time.CreateTimer(
            static state => ((RunStop)state!).Request(StopReason.Deadline), run.Stop, clock.Timeout, Timeout.InfiniteTimeSpan);
        var started = new TaskCompletionSource();
        var watching = CancelWhenStoppedAsync(stopped, started.Task);
        try
        {
            return (await start(stopped.Token), null);
        }
        catch (OperationCanceledException) when (run.Stop.Asked.IsCompleted)
        {
            return (null, Stopped());
        }
        catch (Exception exception) when (exception is HandshakeException or CoveException or IOException or TimeoutException)
        {
            return (null, failed(exception));
        }
        finally
        {
            started.SetResult();
            await watching;
        }
    }

    private Verdict Stopped() => run.Stop.Reason switch
    {
        StopReason.SandboxEnding => new Verdict(RunOutcome.Killed, Outcomes.SandboxEnding(), StateLost: run.Kernel is not null),
        StopReason.Kill => new Verdict(RunOutcome.Killed, Outcomes.WithoutLoss(Outcomes.KilledByCaller())),
        StopReason.Deadline => new Verdict(RunOutcome.TimedOut, Outcomes.WallTime(clock.Timeout, killed: true, null), Verdicts.TimeoutExitCode),
        _ => new Verdict(RunOutcome.Interrupted, Outcomes.Interrupted()),
    };

    private Verdict Failed(CellUsage before, RunError otherwise) => StartFailure.Cause(sandbox.Cell, before, sandbox.Limits) switch
    {
        null => new Verdict(RunOutcome.InfrastructureFailure, otherwise),
        { Code: Outcomes.ProcessLimitCode } limit => new Verdict(RunOutcome.GuestError, limit),
        var memory => new Verdict(RunOutcome.OutOfMemory, memory, Signals.ExitCode(Signals.Kill)),
    };

    private async Task CancelWhenStoppedAsync(CancellationTokenSource stopped, Task started)
    {
        await Task.WhenAny(run.Stop.Asked, started);
        if (!started.IsCompleted)
        {
            await stopped.CancelAsync();
        }
    }

    private void KillLate(Task<CellCommand> starting) => _ = starting.ContinueWith(
        async late =>
        {
            late.Result.Close();
            await KernelStarter.KillAsync(sandbox.Cell, late.Result.Process, clock.Time);
        },
        CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
}

/// <summary>Why a process could not start, where the guest had used up what it needs: its own doing, not the host's.</summary>
internal static class StartFailure
{
    /// <summary>The limit that was in the way since <paramref name="before"/>; null when none was.</summary>
    public static RunError? Cause(Cell cell, CellUsage before, SandboxLimits limits)
    {
        var after = Usage(cell);
        return Grew(before.OomKills, after.OomKills) ? Outcomes.MemoryLimit(limits, new ErrorEvidence { PeakMemoryBytes = after.PeakMemoryBytes })
            : Grew(before.RefusedForks, after.RefusedForks) ? Outcomes.ProcessLimit(limits)
            : null;
    }

    public static bool Grew(long? before, long? after) => after is { } now && now > (before ?? 0);

    public static CellUsage Usage(Cell cell) => Read(cell, static cell => cell.ReadUsage());

    /// <summary>The processor time alone.</summary>
    public static long? Cpu(Cell cell) => Read(cell, static cell => default(CellUsage) with { CpuNanoseconds = cell.ReadCpu() }).CpuNanoseconds;

    /// <summary>What a run's result is made of.</summary>
    public static CellUsage End(Cell cell) => Read(cell, static cell => cell.ReadEnd());

    /// <summary>What to compare with later.</summary>
    public static CellUsage Hits(Cell cell) => Read(cell, static cell => cell.ReadHits());

    private static CellUsage Read(Cell cell, Func<Cell, CellUsage> read)
    {
        try
        {
            return read(cell);
        }
        catch (CellGoneException)
        {
            return default;
        }
    }
}
