using Cove.Engine.Isolation;

namespace Cove.Engine.Runs;

/// <summary>
/// The way down for a run that is to stop: interrupt (again and again, because a signal can be lost to a handler or a child),
/// grace, kill the process with all its descendants, and when even that does not end it, take the whole sandbox down.
/// Every step is bounded, whatever the backend does. An interrupt is sent only while the run goes on, and when this is left none is
/// under way any more: it would hit the next run.
/// </summary>
internal sealed class StopLadder(Cell cell, CellProcess process, RunStop stop, TimeSpan grace, TimeProvider time)
{
    private static readonly TimeSpan KillSent = TimeSpan.FromMilliseconds(250);
    public static readonly TimeSpan KillLimit = TimeSpan.FromSeconds(5);

    // Four in a grace. The guest's kernel spares code that is cleaning up after the first all but the last of them.
    private readonly TimeSpan _repeat = grace / 4;

    private readonly TaskCompletionSource _gaveUp = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether the process was killed; its state is then lost even when it said done in the same moment.</summary>
    public bool Killed { get; private set; }

    /// <summary>Whether the process was sent an interrupt, which it may yet have to notice.</summary>
    public bool Interrupted { get; private set; }

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
    /// True when the run ended within its grace, and every interrupt was delivered before that or is not coming. The grace begins with the first interrupt delivered and not with the wish for it: what
    /// the backend takes on a busy host must not cost the guest its state.
    /// </summary>
    private async Task<bool> InterruptAsync(Task ended)
    {
        Interrupted = true;
        var sent = SignalAsync(CellSignal.Interrupt, KillLimit);
        await Task.WhenAny(ended, stop.KillAsked, sent);
        using var timers = new CancellationTokenSource();
        var over = Task.Delay(grace, time, timers.Token);
        while (!ended.IsCompleted && !stop.KillAsked.IsCompleted && !over.IsCompleted)
        {
            await Task.WhenAny(ended, stop.KillAsked, over, Task.Delay(_repeat, time, timers.Token));
            if (sent.IsCompleted && !ended.IsCompleted && !over.IsCompleted)
            {
                sent = SignalAsync(CellSignal.Interrupt, KillLimit);
            }
        }

        await timers.CancelAsync();
        return ended.IsCompleted && (await sent || process.Exited.IsCompleted);
    }

    private async Task KillAsync()
    {
        Killed = true;
        await SignalAsync(CellSignal.KillTree, KillSent);
        using var timers = new CancellationTokenSource();
        await Task.WhenAny(process.Exited, cell.Exited, Task.Delay(KillLimit, time, timers.Token));
        await timers.CancelAsync();
        if (!process.Exited.IsCompleted && !cell.Exited.IsCompleted)
        {
            _gaveUp.TrySetResult();
        }
    }

    /// <summary>False when the backend did not say within the limit what became of the signal.</summary>
    private async Task<bool> SignalAsync(CellSignal signal, TimeSpan limit)
    {
        try
        {
            // A signal that hangs in the backend must not hang the ladder.
            await cell.SignalAsync(process, signal, CancellationToken.None).WaitAsync(limit, time);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
        catch (Exception)
        {
            return true; // gone already, or not deliverable: the next rung follows either way, and no failure here may leave a run without an end
        }
    }
}
