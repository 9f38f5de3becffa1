namespace Cove.Engine.Isolation.Namespaces;

/// <summary>A process in a cell, known to the launcher by number.</summary>
internal sealed class NamespaceProcess(long id, IFrameLink? control) : CellProcess
{
    private readonly TaskCompletionSource<ProcessExit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public long Id { get; } = id;

    public required NamespaceCell Cell { get; init; }

    public override IFrameLink? Control { get; } = control;

    public override Task<ProcessExit> Exited => _exited.Task;

    /// <summary>The process is no more, and nobody else reads what it may have left on its control link.</summary>
    public void End(ProcessExit exit)
    {
        Control?.Dispose();
        _exited.TrySetResult(exit);
    }
}
