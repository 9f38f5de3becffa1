using System.Threading.Channels;
using Cove.Engine;

namespace Cove.Server.Access.Tenancy;

/// <summary>The end of a run or of a sandbox; one of the two is there. The processor times of a sandbox's ends add up to all that it used.</summary>
internal readonly record struct ToldEnd(RunInfo? Run, SandboxInfo? Sandbox, TimeSpan? CpuTime);

/// <summary>What an engine tells of ends, in order, until somebody writes it down: it begins to tell while it starts, before there is a ledger.</summary>
internal sealed class ToldEnds
{
    private readonly Channel<ToldEnd> _told = Channel.CreateUnbounded<ToldEnd>(new UnboundedChannelOptions { SingleReader = true });

    public ChannelReader<ToldEnd> Reader => _told.Reader;

    public void Tell(RunEnd end) => _told.Writer.TryWrite(new ToldEnd(end.Run, null, end.CpuTime));

    public void Tell(SandboxEnd end) => _told.Writer.TryWrite(new ToldEnd(null, end.Sandbox, end.CpuTime));
}
