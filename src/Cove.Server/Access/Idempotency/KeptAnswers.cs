using System.Collections.Concurrent;
using Cove.Server.State;

namespace Cove.Server.Access.Idempotency;

/// <summary>
/// How much of the database the answers to idempotent requests may take, for each project. A busy project is not refused: its answers are remembered
/// for less than a day then. It is counted here and looked at in the database after each eighth of a bound, behind the requests.
/// </summary>
internal sealed class KeptAnswers(long mostRequests = 200_000, long mostBytes = 64L << 20)
{
    private readonly ConcurrentDictionary<string, Added> _added = new();

    /// <summary>An answer was kept.</summary>
    public ValueTask NoteAsync(StateStore state, string project, long bytes) =>
        _added.GetOrAdd(project, static _ => new Added()).IsDue(bytes, mostRequests / 8, mostBytes / 8)
            ? state.Writer.AddAsync(IdempotencyTable.Trim(project, mostRequests, mostBytes))
            : ValueTask.CompletedTask;

    private sealed class Added
    {
        private readonly Lock _lock = new();
        private long _requests;
        private long _bytes = long.MaxValue / 2; // what was kept before the start is looked at with the first

        public bool IsDue(long bytes, long mostRequests, long mostBytes)
        {
            lock (_lock)
            {
                _requests++;
                _bytes += bytes;
                if (_requests < mostRequests && _bytes < mostBytes)
                {
                    return false;
                }

                (_requests, _bytes) = (0, 0);
                return true;
            }
        }
    }
}
