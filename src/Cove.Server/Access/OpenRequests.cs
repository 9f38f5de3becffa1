using System.Collections.Concurrent;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cove.Server.Access;

/// <summary>
/// The requests that are being answered, by project and key. One project can't take all connections; and what a key opened (streams, watches,
/// terminals) is cut off when the key is revoked or expires: what was let in once must not stay for as long as it likes.
/// </summary>
internal sealed class OpenRequests : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<Open, byte> _open = new();
    private readonly ConcurrentDictionary<string, Count> _counts = new();
    private readonly KeyRing _keys;
    private readonly int _most;
    private readonly ILogger _log;
    private readonly ITimer _timer;
    private int _looking;

    public OpenRequests(KeyRing keys, int most, TimeProvider time, ILogger log)
    {
        (_keys, _most, _log) = (keys, most, log);
        _timer = time.CreateTimer(static state => _ = ((OpenRequests)state!).LookAsync(), this, Pause, Pause);
    }

    public int Most => _most;

    /// <summary>Notes a request until it is disposed of; null when its project has as many open as it may.</summary>
    public IDisposable? Enter(HttpContext context, Holder holder)
    {
        var count = _counts.GetOrAdd(holder.Project, static _ => new Count());
        if (Interlocked.Increment(ref count.Value) > _most)
        {
            Interlocked.Decrement(ref count.Value);
            return null;
        }

        var open = new Open(this, context, holder, count);
        _open[open] = 0;
        return open;
    }

    public ValueTask DisposeAsync() => _timer.DisposeAsync();

    /// <summary>Cuts off what was open a look ago already and whose key is valid no more.</summary>
    public async Task LookAsync()
    {
        if (Interlocked.Exchange(ref _looking, 1) != 0)
        {
            return;
        }

        try
        {
            foreach (var ofKey in _open.Keys.Where(open => open.WasSeen() && open.Holder.Key is not null).GroupBy(open => open.Holder.Key!))
            {
                if (await _keys.WhyRefusedAsync(ofKey.Key) is { } reason)
                {
                    _log.RequestsCutOff(ofKey.Count(), ofKey.Key, reason);
                    foreach (var open in ofKey.Where(_open.ContainsKey)) // what ended meanwhile may have left its connection to the next request
                    {
                        open.Context.Abort();
                    }
                }
            }
        }
        catch (CoveException)
        {
            // The database does not answer; it is asked again in a second, and lets nobody new in meanwhile.
        }
        finally
        {
            Volatile.Write(ref _looking, 0);
        }
    }

    private sealed class Count
    {
        public int Value;
    }

    private sealed class Open(OpenRequests all, HttpContext context, Holder holder, Count count) : IDisposable
    {
        private int _seen;

        public HttpContext Context => context;

        public Holder Holder => holder;

        /// <summary>Whether an earlier look had seen it: what is short is never asked after.</summary>
        public bool WasSeen() => Interlocked.Exchange(ref _seen, 1) == 1;

        public void Dispose()
        {
            if (all._open.TryRemove(this, out _))
            {
                Interlocked.Decrement(ref count.Value);
            }
        }
    }
}
