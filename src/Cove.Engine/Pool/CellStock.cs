using Microsoft.Extensions.Logging;

namespace Cove.Engine.Pool;

/// <summary>The cells of one template that wait for an owner, oldest first. Not thread-safe: the pool's lock guards it.</summary>
internal sealed class CellStock(int size, string template, ILogger logger)
{
    private readonly List<ParkedCell> _parked = [];

    public int Count => _parked.Count;

    /// <summary>Whether enough is left that what is missing can be made a little later.</summary>
    public bool CanWait => _parked.Count > 0 && _parked.Count * 2 >= size;

    /// <summary>Puts a cell in; false when there is no room. <paramref name="died"/> is called when it can no longer be handed out, by whomever.</summary>
    public bool Park(ParkedCell made, Action<ParkedCell> died)
    {
        if (_parked.Count >= size)
        {
            return false;
        }

        _parked.Add(made);
        _ = made.Died.ContinueWith(_ => died(made), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        return true;
    }

    /// <summary>Takes out the oldest that lives. Dead ones are dropped on the way, and <paramref name="deaths"/> says how many.</summary>
    public ParkedCell? TakeLive(out int deaths)
    {
        deaths = 0;
        while (_parked.Count > 0)
        {
            var oldest = _parked[0];
            _parked.RemoveAt(0);
            if (oldest.IsAlive)
            {
                return oldest;
            }

            deaths++;
            Drop(oldest);
        }

        return null;
    }

    /// <summary>Takes out one that died; false when it was claimed or dropped before.</summary>
    public bool Bury(ParkedCell dead)
    {
        if (_parked.RemoveAll(p => ReferenceEquals(p, dead)) == 0)
        {
            return false;
        }

        Drop(dead);
        return true;
    }

    public ParkedCell[] Empty()
    {
        ParkedCell[] all = [.. _parked];
        _parked.Clear();
        return all;
    }

    private void Drop(ParkedCell dead)
    {
        var detail = dead.Cell.Exited is { IsCompletedSuccessfully: true, Result.Detail: { } said } ? said : "its process ended";
        logger.ParkedCellDied(template, detail);
        _ = Task.Run(() => dead.Cell.DisposeAsync().AsTask()); // elsewhere: it waits for the launcher a little, and here the pool's lock is held
    }
}
