using Cove.Engine.Guest;
using Cove.Engine.Isolation;

namespace Cove.Engine.Runs;

/// <summary>What was seen of a run's end, from outside the guest but for <see cref="Said"/>.</summary>
internal sealed record Ending
{
    public ResultMessage.Done? Said { get; init; }

    public ProcessExit? Exit { get; init; }

    /// <summary>Whether a tool was called: then it has begun, whatever it left unread. No guest has its calls made again, and counted anew, by dying.</summary>
    public bool CalledTools { get; init; }

    /// <summary>Whether what sets the guest going could not be sent whole. What fails after that is no failed start.</summary>
    public bool StartFailed { get; init; }

    /// <summary>
    /// Whether a kernel ended by itself before it took up the run. Only then may the run be given to another: no part of its code can
    /// have begun, since a kernel reads a frame whole before it looks at it.
    /// </summary>
    public bool NeverBegan => this is { Cell: null, Said: null, Killed: false, CalledTools: false, Reason: StopReason.None, StdoutBytes: 0, StderrBytes: 0, Exit: { } exit }
        && (StartFailed || exit.LeftUnread);

    public CellExit? Cell { get; init; }

    /// <summary>The guest's word that its variables are gone.</summary>
    public bool SaidStateLost { get; init; }

    public bool Killed { get; init; }

    /// <summary>Whether the process was interrupted, which it may notice as late as in its next run.</summary>
    public bool Interrupted { get; init; }

    public bool GaveUp { get; init; }

    public StopReason Reason { get; init; }

    public string? Violation { get; init; }

    public long StdoutBytes { get; init; }

    public long StderrBytes { get; init; }

    public CellUsage Usage { get; init; }

    /// <summary>Whether the memory limit killed something in the sandbox while the run was in progress.</summary>
    public bool HitMemoryLimit { get; init; }

    /// <summary>How long the processor limit kept the sandbox from running meanwhile, added up over processors.</summary>
    public TimeSpan? Throttled { get; init; }

    /// <summary>Whether that was a substantial share of the run's wall time.</summary>
    public bool HeldBack { get; init; }

    /// <summary>Whether the process limit refused a process or thread meanwhile.</summary>
    public bool HitProcessLimit { get; init; }
}

/// <summary>
/// Watches one run from its start to its end: deadline, stop ladder, pumps and deaths, for kernels and commands alike. Every
/// wait in here is bounded, so that a run ends whatever the guest and the backend do.
/// </summary>
internal sealed class RunSupervisor(Cell cell, CellProcess process, Run run, RunClock clock)
{
    /// <summary>
    /// How long a kernel that closed its result channel without a word has to die before it counts as one that lies. On a busy host the news
    /// of a death takes its time; one that lies only holds up itself.
    /// </summary>
    public static readonly TimeSpan SilentEndLimit = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan PumpLimit = TimeSpan.FromSeconds(5);

    // A dead init takes its cell along; which of the two the backend reports first is chance.
    private static readonly TimeSpan CellDeathWindow = TimeSpan.FromMilliseconds(50);

    private static readonly CancellationToken _over = new(canceled: true);

    /// <summary>
    /// Runs to the end. <paramref name="result"/> is null for a command, which ends with its process. <paramref name="start"/>
    /// is what sets the guest going (it may block on a guest that does not read); <paramref name="close"/> closes the channels.
    /// </summary>
    public async Task<Ending> WatchAsync(OutputPump stdout, OutputPump stderr, ResultPump? result, Func<Task> start, Action close)
    {
        var before = StartFailure.Hits(cell);
        var sent = clock.Time.GetTimestamp();
        var starting = StartAsync(start);

        // The guest works from here on: what need not be done before is done meanwhile.
        run.Events.WriteStarted();
        if (starting.IsCompletedSuccessfully && result is not null && run.Tools is null && EndsBriefly(stdout, stderr, result))
        {
            // Most runs are short: this thread has read how it ended, and nobody else need be told to watch it.
            await SettleAsync(Task.WhenAll(stdout.RunAsync(_over), stderr.RunAsync(_over)), close);
            close();
            return Seen(before, stdout, stderr, result, ladder: null);
        }

        using var endOfRun = new CancellationTokenSource();
        var ended = new TaskCompletionSource();
        var ladder = new StopLadder(cell, process, run.Stop, clock.Grace, clock.Time);
        using var deadline = new RunDeadline(clock, run.Stop, sent);
        if (run.Tools is { } tools)
        {
            tools.Deadline = deadline;
        }

        var climbing = ladder.WatchAsync(ended.Task);
        var pumps = Task.WhenAll(stdout.RunAsync(endOfRun.Token), stderr.RunAsync(endOfRun.Token));
        var reading = result?.RunAsync(endOfRun.Token);
        try
        {
            await UntilEndAsync(reading, result, WhenFailed(starting), ladder);
        }
        finally
        {
            ended.TrySetResult();
            await endOfRun.CancelAsync();
            await SettleAsync(Task.WhenAll(pumps, reading ?? Task.CompletedTask), close);
            close();
            await Task.WhenAll(climbing, Quietly(starting.WaitAsync(PumpLimit, clock.Time)));
        }

        await AwaitCellDeathAsync(result);
        return Seen(before, stdout, stderr, result, ladder) with { StartFailed = starting.IsFaulted };
    }

    /// <summary>Whether the run is done before anything else was asked of it. What it said until then is told, in the order in which a guest that flushes writes it.</summary>
    private bool EndsBriefly(OutputPump stdout, OutputPump stderr, ResultPump result)
    {
        result.WaitBriefly();
        stdout.TakeWaiting();
        stderr.TakeWaiting();
        result.Interpret();
        return result.Done is not null && run.Stop.Reason == StopReason.None;
    }

    private async Task UntilEndAsync(Task? reading, ResultPump? result, Task startFailed, StopLadder ladder)
    {
        if (reading is null)
        {
            await Task.WhenAny(process.Exited, cell.Exited, ladder.GaveUp);
            return;
        }

        await Task.WhenAny(reading, process.Exited, cell.Exited, ladder.GaveUp, startFailed);
        if (reading.IsCompleted)
        {
            await reading; // faults of the pump are the engine's, not the guest's: they surface as such
        }

        if (result!.Done is null && !process.Exited.IsCompleted && !cell.Exited.IsCompleted)
        {
            await AwaitSilentDeathAsync(ladder, !reading.IsCompleted ? "it closed its control link"
                : result.EndedInFrame ? "the result channel ended in the middle of a frame"
                : "the result channel was closed before the run was done");
        }
    }

    /// <summary>A channel ended without <c>done</c>: the process is dying, or it lies and is killed.</summary>
    private async Task AwaitSilentDeathAsync(StopLadder ladder, string lie)
    {
        using var timer = new CancellationTokenSource();
        var gone = Task.WhenAny(process.Exited, cell.Exited, ladder.GaveUp);
        await Task.WhenAny(gone, run.Stop.KillAsked, Task.Delay(SilentEndLimit, clock.Time, timer.Token));
        await timer.CancelAsync();
        if (!gone.IsCompleted)
        {
            run.Stop.RequestForViolation(lie);
            await gone;
        }
    }

    private static async Task StartAsync(Func<Task> start) => await start();

    private static Task WhenFailed(Task task)
    {
        var failed = new TaskCompletionSource();
        _ = task.ContinueWith(
            static (_, state) => ((TaskCompletionSource)state!).TrySetResult(), failed,
            CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted | TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return failed.Task;
    }

    private async Task SettleAsync(Task pumps, Action close)
    {
        try
        {
            await pumps.WaitAsync(PumpLimit, clock.Time);
        }
        catch (TimeoutException)
        {
            close(); // the backend did not heed the token; an end of file it must report
            await Quietly(pumps.WaitAsync(PumpLimit, clock.Time));
        }
    }

    private static async Task Quietly(Task task) => await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private async Task AwaitCellDeathAsync(ResultPump? result)
    {
        if (process.Exited.IsCompleted && result is { Done: null } && !cell.Exited.IsCompleted && run.Stop.Reason == StopReason.None)
        {
            using var timer = new CancellationTokenSource();
            await Task.WhenAny(cell.Exited, Task.Delay(CellDeathWindow, clock.Time, timer.Token));
            await timer.CancelAsync();
        }
    }

    private Ending Seen(CellUsage before, OutputPump stdout, OutputPump stderr, ResultPump? result, StopLadder? ladder)
    {
        var usage = StartFailure.End(cell);
        return new Ending
        {
            Said = result?.Done,
            SaidStateLost = result?.SaidStateLost ?? false,
            Exit = process.Exited.IsCompletedSuccessfully ? process.Exited.Result : null,
            Cell = cell.Exited.IsCompletedSuccessfully ? cell.Exited.Result : null,
            Killed = ladder is { Killed: true },
            Interrupted = ladder is { Interrupted: true },
            GaveUp = ladder is { GaveUp.IsCompleted: true },
            Reason = run.Stop.Reason,
            Violation = run.Stop.Violation,
            StdoutBytes = stdout.TotalBytes,
            StderrBytes = stderr.TotalBytes,
            Usage = usage,
            HitMemoryLimit = StartFailure.Grew(before.OomKills, usage.OomKills),
            HitProcessLimit = StartFailure.Grew(before.RefusedForks, usage.RefusedForks),
            Throttled = Throttling.Time(before, usage),
            HeldBack = Throttling.HeldBack(before, usage, run.Elapsed),
        };
    }
}

/// <summary>The times of one run.</summary>
internal sealed record RunClock(TimeProvider Time, TimeSpan Timeout, TimeSpan Grace);
