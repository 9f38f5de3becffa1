namespace Cove.Engine.Pool;

/// <summary>Those who wait for a cell of one template, strictly first come, first served. Not thread-safe: the pool's lock guards it.</summary>
internal sealed class WaitingLine
{
    private readonly LinkedList<TaskCompletionSource<ParkedCell>> _waiting = [];

    public int Count => _waiting.Count;

    public void Join(TaskCompletionSource<ParkedCell> waiter) => _waiting.AddLast(waiter);

    /// <summary>Who was served, or gave up.</summary>
    public void Leave(TaskCompletionSource<ParkedCell> waiter) => _waiting.Remove(waiter);

    /// <summary>Gives a cell to the first who still wants one; false when nobody does.</summary>
    public bool Hand(ParkedCell made)
    {
        while (_waiting.First is { } first)
        {
            _waiting.RemoveFirst();
            if (first.Value.TrySetResult(made))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Sends everybody away; the caller tells them why.</summary>
    public TaskCompletionSource<ParkedCell>[] Dismiss()
    {
        TaskCompletionSource<ParkedCell>[] dismissed = [.. _waiting];
        _waiting.Clear();
        return dismissed;
    }
}
