namespace Cove.Engine.Isolation.Namespaces;

/// <summary>A process in a cell, known to the launcher by number.</summary>
internal sealed class NamespaceProcess(long id, IFrameLink? control) : CellProcess
{
    private readonly TaskCompletionSource<ProcessExit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public long Id { get; } = id;

    public required NamespaceCell Cell { get; init; }

    public override IFrameLink? Control { get; } = control;

    public override Task<ProcessExit> Exited => _exited.Task;

    public void End(ProcessExit exit)
    {
        _exited.TrySetResult(Control is UnixFrameLink link ? exit with { LeftUnread = link.LeftUnread() } : exit);
        Control?.Dispose(); // there is nobody at the other end any more
    }
}
