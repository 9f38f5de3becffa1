namespace Cove.Engine.Journal;

/// <summary>The journal of a sandbox that ended, as it lies on disk.</summary>
internal sealed record EndedJournal(SandboxId Sandbox, string? Owner, DateTimeOffset At, long Bytes);

/// <summary>Ended journals by whose they are, and which of them goes next. For one thread at a time.</summary>
internal sealed class EndedJournals
{
    /// <summary>Of each owner, in the order in which they ended.</summary>
    private readonly Dictionary<string, Queue<EndedJournal>> _journals = [];
    private readonly Dictionary<string, long> _bytes = [];

    /// <summary>How many there are.</summary>
    public int Count { get; private set; }

    /// <summary>Who has any; nobody in particular is the empty name.</summary>
    public IEnumerable<string> Owners => _journals.Keys;

    /// <summary>What an owner's take.</summary>
    public long Bytes(string owner) => _bytes.GetValueOrDefault(owner);

    public void Add(EndedJournal journal)
    {
        var owner = journal.Owner ?? "";
        if (!_journals.TryGetValue(owner, out var own))
        {
            _journals[owner] = own = new Queue<EndedJournal>();
        }

        own.Enqueue(journal);
        _bytes[owner] = Bytes(owner) + journal.Bytes;
        Count++;
    }

    /// <summary>Takes the oldest one of an owner; null when there is none.</summary>
    public EndedJournal? Take(string owner)
    {
        if (!_journals.TryGetValue(owner, out var own))
        {
            return null;
        }

        var oldest = own.Dequeue();
        Count--;
        _bytes[owner] -= oldest.Bytes;
        if (own.Count == 0)
        {
            _journals.Remove(owner);
            _bytes.Remove(owner);
        }

        return oldest;
    }

    /// <summary>Takes one that ended before; null when there is none.</summary>
    public EndedJournal? TakeBefore(DateTimeOffset time) =>
        _journals.FirstOrDefault(own => own.Value.Peek().At < time).Key is { } owner ? Take(owner) : null;

    /// <summary>Takes the oldest one of who has most of them; null when there is none.</summary>
    public EndedJournal? TakeOfMost() => _journals.Count == 0 ? null : Take(_journals.MaxBy(own => own.Value.Count).Key);
}
