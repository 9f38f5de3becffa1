using System.Runtime.CompilerServices;

namespace Cove.Engine.Journal;

/// <summary>
/// Follows one stream of a journal: from memory what is there, from the files what is not there any more, and then what comes. Several
/// readers are several of these; none of them slows the writer down.
/// </summary>
internal sealed class JournalStream<T>(EventWindow<T> window, Func<T, long> sequenceOf, Func<JournalCursor?> open, JournalPick<T> pick, Func<long, T, bool> follows)
    where T : class
{
    /// <param name="after">The sequence of the event before the first one wanted.</param>
    /// <param name="follow">Whether to wait for what comes.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public async IAsyncEnumerable<T> ReadAsync(long after, bool follow, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        JournalCursor? cursor = null;
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            switch (window.Look(after, out var item, out var changed))
            {
                case WindowLook.Next:
                    after = sequenceOf(item!);
                    yield return item!;
                    break;
                case WindowLook.Wait when follow:
                    await changed.WaitAsync(cancellationToken);
                    break;
                case WindowLook.Dropped:
                    cursor ??= open() ?? throw Refusals.EventsExpired(after);
                    foreach (var stored in Stored(cursor, after))
                    {
                        after = sequenceOf(stored);
                        yield return stored;
                    }

                    break;
                default:
                    yield break;
            }
        }
    }

    /// <summary>Some events from the files, of those after the given one.</summary>
    private List<T> Stored(JournalCursor cursor, long after)
    {
        var found = new List<T>();
        while (cursor.ReadBlock(pick, found))
        {
            found.RemoveAll(f => sequenceOf(f) <= after);
            if (found.Count > 0)
            {
                return follows(after, found[0]) ? found : throw Refusals.EventsExpired(after, sequenceOf(found[0]));
            }
        }

        throw Refusals.EventsExpired(after);
    }
}
