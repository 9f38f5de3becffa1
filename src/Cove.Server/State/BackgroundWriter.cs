using System.Data.Common;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Cove.Server.State;

/// <summary>
/// Writes rows nobody waits for, many in one transaction. What is queued here and not yet written is lost by a kill: what arrived within
/// a tenth of a second and while the last transaction was being written. The journal holds the runs and why sandboxes ended; keys are not written
/// through here, and new sandboxes and audit rows are in a <see cref="RowSpool{T}"/> until then. Processor time, rows of runs that had ended, changed lifetimes
/// and when a key was used last are lost with it.
/// </summary>
internal sealed class BackgroundWriter : IAsyncDisposable
{
    private const int BatchRows = 512;
    private const int Attempts = 5;
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(200);

    private readonly Database _database;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Channel<Entry> _queue;
    private readonly Task _work;

    /// <summary>The first of some rows waits for others: a transaction each would cost more than the run it is of.</summary>
    private readonly Linger _linger = new(TimeSpan.FromMilliseconds(100));

    private int _waiting;
    private long _lost;
    private volatile bool _failing;

    public BackgroundWriter(Database database, StateOptions options, ILogger log)
    {
        (_database, _time, _log) = (database, options.Time, log);
        _queue = Channel.CreateBounded<Entry>(new BoundedChannelOptions(options.QueueCapacity) { SingleReader = true });
        _work = Task.Run(WorkAsync);
    }

    /// <summary>Rows that could not be written.</summary>
    public long Lost => Volatile.Read(ref _lost);

    /// <summary>Whether the database refused what it was last asked: who can wait for it had better do that now.</summary>
    public bool IsFailing => _failing;

    /// <summary>Queues a write; completes at once while there is room. When the database is slower than what is asked of it, the asking waits: nothing is dropped for speed.</summary>
    /// <param name="write">Writes it.</param>
    /// <param name="settled">Called when it is committed (true), or was refused for good (false).</param>
    public ValueTask AddAsync(Func<Session, Task> write, Action<bool>? settled = null) => AddAsync(new Entry(write, settled));

    /// <summary>Completes when everything queued so far is committed.</summary>
    public async Task FlushAsync()
    {
        Interlocked.Increment(ref _waiting);
        try
        {
            var written = WrittenAsync();
            _linger.Hurry();
            await written;
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    /// <summary>The same, in its own time.</summary>
    public async Task WrittenAsync()
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await AddAsync(new Entry(null, _ => reached.TrySetResult()));
        await Task.WhenAny(reached.Task, _work);
    }

    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        Interlocked.Increment(ref _waiting);
        _linger.Hurry();
        await _work;
    }

    private ValueTask AddAsync(Entry entry) => _queue.Writer.TryWrite(entry) ? ValueTask.CompletedTask : WaitAsync(entry);

    private async ValueTask WaitAsync(Entry entry)
    {
        _linger.Hurry();
        try
        {
            await _queue.Writer.WriteAsync(entry);
        }
        catch (ChannelClosedException)
        {
            // The server is gone but for a request that outlasted its drain.
            Lose(1);
        }
    }

    private async Task WorkAsync()
    {
        var batch = new List<Entry>(BatchRows);
        while (await _queue.Reader.WaitToReadAsync())
        {
            await _linger.WaitAsync(() => Volatile.Read(ref _waiting) > 0 || _queue.Reader.Count >= BatchRows); // somebody waits for them, or there are many already
            while (batch.Count < BatchRows && _queue.Reader.TryRead(out var entry))
            {
                batch.Add(entry);
            }

            if (await TryWriteAsync(batch))
            {
                batch.ForEach(static entry => entry.Settled?.Invoke(true));
            }
            else
            {
                // One row that can't be written must not take the others along.
                foreach (var entry in batch)
                {
                    var written = await TryWriteAsync([entry]);
                    Lose(written ? 0 : 1);
                    entry.Settled?.Invoke(written);
                }
            }

            batch.Clear();
        }
    }

    private async Task<bool> TryWriteAsync(List<Entry> batch)
    {
        if (batch.TrueForAll(static entry => entry.Write is null))
        {
            return true; // marks, of which the database need not hear
        }

        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await _database.TransactManyAsync(async session =>
                {
                    foreach (var entry in batch)
                    {
                        await (entry.Write?.Invoke(session) ?? Task.CompletedTask);
                    }

                    return true;
                });
                _failing = false;
                return true;
            }
            catch (DbException failure) when (attempt < Attempts && _database.Dialect.IsPassing(failure))
            {
                _failing = true;
                await Task.Delay(RetryPause * attempt, _time);
            }
            catch (Exception failure)
            {
                _failing = true;
                _log.WriteFailed(failure, batch.Count);
                return false;
            }
        }
    }

    private void Lose(int rows)
    {
        if (rows > 0)
        {
            _log.RowsLost(Interlocked.Add(ref _lost, rows));
        }
    }

    private readonly record struct Entry(Func<Session, Task>? Write, Action<bool>? Settled);
}
