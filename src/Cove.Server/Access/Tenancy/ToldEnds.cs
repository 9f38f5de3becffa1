using System.Threading.Channels;
using Cove.Engine;
using Cove.Server.State;

namespace Cove.Server.Access.Tenancy;

/// <summary>The end of a run or of a sandbox; one of the two is there. The processor times of a sandbox's ends add up to all that it used.</summary>
internal readonly record struct ToldEnd(RunInfo? Run, SandboxInfo? Sandbox, TimeSpan? CpuTime);

/// <summary>
/// What an engine tells of ends, in order, until somebody writes it down: it begins to tell while it starts, before there is a ledger. The end of a
/// sandbox is heard at once; those of runs are taken together, because mostly their reader has noted them already.
/// </summary>
/// <param name="gathering">How long the end of a run waits for others; 50 ms when nothing is said.</param>
internal sealed class ToldEnds(TimeSpan? gathering = null)
{
    private readonly Channel<ToldEnd> _told = Channel.CreateUnbounded<ToldEnd>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Linger _linger = new(gathering ?? TimeSpan.FromMilliseconds(50));
    private int _sandboxes;

    public void Tell(RunEnd end) => _told.Writer.TryWrite(new ToldEnd(end.Run, null, end.CpuTime));

    public void Tell(SandboxEnd end)
    {
        Interlocked.Increment(ref _sandboxes);
        _told.Writer.TryWrite(new ToldEnd(null, end.Sandbox, end.CpuTime));
        _linger.Hurry();
    }

    /// <summary>Completes when there is something to take.</summary>
    public async Task WaitAsync(CancellationToken cancellationToken)
    {
        await _told.Reader.WaitToReadAsync(cancellationToken);
        await _linger.WaitAsync(() => Volatile.Read(ref _sandboxes) > 0);
    }

    public bool TryTake(out ToldEnd told)
    {
        if (!_told.Reader.TryRead(out told))
        {
            return false;
        }

        if (told.Sandbox is not null)
        {
            Interlocked.Decrement(ref _sandboxes);
        }

        return true;
    }
}
