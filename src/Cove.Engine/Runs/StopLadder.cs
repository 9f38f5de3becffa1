using Cove.Engine.Isolation;

namespace Cove.Engine.Runs;

/// <summary>
/// The way down for a run that is to stop: interrupt (again and again, because a signal can be lost to a handler or a child),
/// grace, kill the process with all its descendants, and when even that does not end it, take the whole sandbox down.
/// Every step is bounded, whatever the backend does.
/// </summary>
internal sealed class StopLadder(Cell cell, CellProcess process, RunStop stop, TimeSpan grace, TimeProvider time)
{
    public static readonly TimeSpan Repeat = TimeSpan.FromMilliseconds(250);
    public static readonly TimeSpan KillLimit = TimeSpan.FromSeconds(5);

    private readonly TaskCompletionSource _gaveUp = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether the process was killed; its state is then lost even when it said done in the same moment.</summary>
    public bool Killed { get; private set; }

    /// <summary>Completes when killing did not help.</summary>
    public Task GaveUp => _gaveUp.Task;

    /// <summary>Waits for the wish to stop and climbs down until <paramref name="ended"/> completes.</summary>
    public async Task WatchAsync(Task ended)
    {
        await Task.WhenAny(stop.Asked, ended);
        if (ended.IsCompleted)
        {
            return;
        }

        if (stop.KillAsked.IsCompleted || !await InterruptAsync(ended))
        {
            await KillAsync();
        }
    }

    /// <summary>
    /// True when the run ended within its grace. That begins with the first interrupt delivered and not with the wish for it: what
    /// the backend takes on a busy host must not cost the guest its state.
    /// </summary>
    private async Task<bool> InterruptAsync(Task ended)
    {
        await Task.WhenAny(ended, stop.KillAsked, SignalAsync(CellSignal.Interrupt, KillLimit));
        using var timers = new CancellationTokenSource();
        var over = Task.Delay(grace, time, timers.Token);
        while (!stop.KillAsked.IsCompleted && !over.IsCompleted)
        {
            await Task.WhenAny(ended, stop.KillAsked, over, Task.Delay(Repeat, time, timers.Token));
            if (ended.IsCompleted)
            {
                await timers.CancelAsync();
                return true;
            }

            if (!over.IsCompleted)
            {
                await SignalAsync(CellSignal.Interrupt, Repeat);
            }
        }

        await timers.CancelAsync();
        return ended.IsCompleted;
    }

    private async Task KillAsync()
    {
        Killed = true;
        await SignalAsync(CellSignal.KillTree, Repeat);
        using var timers = new CancellationTokenSource();
        await Task.WhenAny(process.Exited, cell.Exited, Task.Delay(KillLimit, time, timers.Token));
        await timers.CancelAsync();
        if (!process.Exited.IsCompleted && !cell.Exited.IsCompleted)
        {
            _gaveUp.TrySetResult();
        }
    }

    private async Task SignalAsync(CellSignal signal, TimeSpan limit)
    {
        try
        {
            // A signal that hangs in the backend must not hang the ladder.
            await cell.SignalAsync(process, signal, CancellationToken.None).WaitAsync(limit, time);
        }
        catch (Exception)
        {
            // Gone already, or not deliverable: the next rung follows either way, and no failure here may leave a run without an end.
        }
    }
}
