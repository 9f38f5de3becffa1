namespace Cove.Engine.Journal;

/// <summary>What a reader finds after the event it has.</summary>
internal enum WindowLook
{
    /// <summary>The next event.</summary>
    Next,

    /// <summary>Nothing yet.</summary>
    Wait,

    /// <summary>The next one was dropped from memory.</summary>
    Dropped,

    /// <summary>Nothing further will come.</summary>
    End,
}

/// <summary>
/// The newest events of one stream, in memory: appended by one at a time, read by any number, each at its own pace. A reader
/// holds no place in it, so a slow one costs nothing; who waits is woken by the next append.
/// </summary>
internal sealed class EventWindow<T>(Func<T, long> sequenceOf, Func<T, int> sizeOf)
    where T : class
{
    private readonly Lock _lock = new();
    private readonly List<T> _items = [];
    private TaskCompletionSource? _changed;
    private long _dropped;
    private bool _ended;

    /// <summary>What it holds, in bytes, estimated.</summary>
    public long Bytes { get; private set; }

    public void Append(T item, bool last)
    {
        TaskCompletionSource? changed;
        lock (_lock)
        {
            _items.Add(item);
            Bytes += sizeOf(item);
            _ended |= last;
            (changed, _changed) = (_changed, null);
        }

        changed?.TrySetResult();
    }

    /// <summary>Nothing further will come.</summary>
    public void End()
    {
        TaskCompletionSource? changed;
        lock (_lock)
        {
            _ended = true;
            (changed, _changed) = (_changed, null);
        }

        changed?.TrySetResult();
    }

    /// <summary>Drops the oldest events when more than <paramref name="most"/> bytes are held, down to half of that, so that it seldom has to.</summary>
    public void Trim(long most)
    {
        lock (_lock)
        {
            if (Bytes <= most)
            {
                return;
            }

            var count = 0;
            while (count < _items.Count && Bytes > most / 2)
            {
                Bytes -= sizeOf(_items[count++]);
            }

            _dropped = sequenceOf(_items[count - 1]);
            _items.RemoveRange(0, count);
            if (_items.Count == 0)
            {
                _items.Capacity = 0;
            }
        }
    }

    public WindowLook Look(long after, out T? item, out Task changed)
    {
        changed = Task.CompletedTask;
        lock (_lock)
        {
            item = null;
            if (after < _dropped)
            {
                return WindowLook.Dropped;
            }

            var index = After(after);
            if (index < _items.Count)
            {
                item = _items[index];
                return WindowLook.Next;
            }

            if (_ended)
            {
                return WindowLook.End;
            }

            _changed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            changed = _changed.Task;
            return WindowLook.Wait;
        }
    }

    /// <summary>The place of the first event beyond a sequence.</summary>
    private int After(long after)
    {
        int low = 0, high = _items.Count;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (sequenceOf(_items[middle]) <= after)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }
}

/// <summary>What events take in memory, roughly: enough to bound it.</summary>
internal static class EventSize
{
    private const int Overhead = 120;

    public static int Of(RunEvent next) => Overhead + next switch
    {
        RunOutput output => output.Text.Length * sizeof(char),
        RunDisplay display => display.Data.Sum(d => (d.Key.Length + d.Value.Length) * sizeof(char)) + Overhead,
        RunNotice notice => notice.Message.Length * sizeof(char),
        RunToolCall call => Overhead + call.Arguments.GetRawText().Length * 2,
        RunToolAnswered answered => Overhead + ((answered.Error?.Message.Length ?? 0) * sizeof(char)),
        RunCompleted completed => 4 * Overhead + ((completed.Result.Error?.Evidence?.Traceback?.Length ?? 0) * sizeof(char)),
        _ => Overhead,
    };

    public static int Of(SandboxEvent next) => Overhead;
}
