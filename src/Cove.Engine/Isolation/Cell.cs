namespace Cove.Engine.Isolation;

/// <summary>
/// One live boundary. All members may be called at any time from any thread, also after the cell has died: they then throw
/// <see cref="CellGoneException"/>. Disposing kills everything inside at once and frees what the host held.
/// </summary>
internal abstract class Cell : IAsyncDisposable
{
    /// <summary>Completes when the boundary is gone, whoever ended it. Never faults.</summary>
    public abstract Task<CellExit> Exited { get; }

    /// <summary>Starts a kernel and returns when the process exists; its <c>hello</c> is still to come on <see cref="CellProcess.Control"/>.</summary>
    public abstract Task<CellProcess> StartKernelAsync(Language language, SandboxLimits limits, CancellationToken cancellationToken);

    /// <summary>Starts a command with three fresh channels.</summary>
    public abstract Task<CellCommand> StartCommandAsync(CommandSpec command, SandboxLimits limits, CancellationToken cancellationToken);

    /// <summary>Starts a command on a terminal of its own; it leads a session, and the terminal controls it. Columns and rows: 1 to 1,000.</summary>
    public abstract Task<CellTerminal> StartTerminalAsync(CommandSpec command, int columns, int rows, SandboxLimits limits, CancellationToken cancellationToken);

    /// <summary>Opens three fresh channels for one run of a kernel; with <paramref name="host"/> a fourth, on which the host answers.</summary>
    public abstract RunChannels OpenRunChannels(bool host);

    /// <summary>Opens the link to the file worker of this cell, started for this call. Frames with descriptors, see guest/python/files/README.md.</summary>
    public abstract Task<IFrameLink> OpenFilesAsync(CancellationToken cancellationToken);

    /// <summary>Sends a signal to a process, or kills it with everything that descends from it.</summary>
    public abstract Task SignalAsync(CellProcess process, CellSignal signal, CancellationToken cancellationToken);

    /// <summary>Changes the limits of the whole cell.</summary>
    public abstract Task SetLimitsAsync(SandboxLimits limits, CancellationToken cancellationToken);

    /// <summary>Reads what the cell uses. Fast (some microseconds): it is called at the end of every run.</summary>
    public abstract CellUsage ReadUsage();

    /// <summary>Reads of <see cref="ReadUsage"/> only what counts limits that were hit: it is called before every run.</summary>
    public virtual CellUsage ReadHits() => ReadUsage();

    /// <summary>Reads of <see cref="ReadUsage"/> what a run's result is made of: it is called after every run.</summary>
    public virtual CellUsage ReadEnd() => ReadUsage();

    /// <summary>Reads the processor time alone.</summary>
    public virtual long? ReadCpu() => ReadUsage().CpuNanoseconds;

    /// <summary>Kills everything inside: when it returns nothing in it will run again, though it may still be dying. Never throws.</summary>
    public abstract Task KillAsync();

    /// <summary>Kills everything inside and frees the host's side. Returns when all of it is dead and freed; never throws.</summary>
    public abstract ValueTask DisposeAsync();
}

/// <summary>What a command is.</summary>
internal sealed record CommandSpec(
    IReadOnlyList<string> Argv, string WorkingDirectory, IReadOnlyDictionary<string, string> Environment);

/// <summary>A process in a cell.</summary>
internal abstract class CellProcess
{
    /// <summary>The control link of a kernel; null for a command.</summary>
    public abstract IFrameLink? Control { get; }

    /// <summary>Completes when the process ended, with what its parent outside the cell saw. Never faults.</summary>
    public abstract Task<ProcessExit> Exited { get; }
}

/// <summary>A running command with the host's ends of its channels.</summary>
internal sealed record CellCommand(CellProcess Process, ByteSink Stdin, ByteSource Stdout, ByteSource Stderr)
{
    /// <summary>Closes the host's ends of the channels.</summary>
    public void Close()
    {
        Stdin.Dispose();
        Stdout.Dispose();
        Stderr.Dispose();
    }
}

/// <summary>A running command with the host's end of its terminal.</summary>
/// <param name="Process">The command.</param>
/// <param name="Output">What was written to the terminal. An end of file only says that nobody holds the terminal at this moment.</param>
/// <param name="Input">What is typed. It refuses what is typed while nobody holds the terminal.</param>
/// <param name="Resize">Sets columns and rows; nothing happens once the terminal is closed.</param>
internal sealed record CellTerminal(CellProcess Process, ByteSource Output, ByteSink Input, Action<int, int> Resize)
{
    /// <summary>Hangs up.</summary>
    public void Close()
    {
        Output.Dispose();
        Input.Dispose();
    }
}

/// <summary>How a process ended: an exit code, or the number of the signal that killed it; both null when nobody could see it.</summary>
internal sealed record ProcessExit(int? Code, int? Signal)
{
    /// <summary>Whether it ended before it had read all that was sent on its control link: what the last frame asked for was never begun.</summary>
    public bool LeftUnread { get; init; }
}

/// <summary>How a cell ended.</summary>
internal sealed record CellExit(bool ByBackendFailure, string? Detail);

/// <summary>What can be sent to a process.</summary>
internal enum CellSignal
{
    /// <summary>SIGINT to the process.</summary>
    Interrupt,

    /// <summary>SIGTERM to the process.</summary>
    Terminate,

    /// <summary>SIGKILL to the process and all that descends from it.</summary>
    KillTree,
}

/// <summary>What a cell uses; null where the host offers no accounting.</summary>
internal readonly record struct CellUsage(long? MemoryBytes, long? PeakMemoryBytes, long? OomKills, long? CpuNanoseconds, int? Pids, long? RefusedForks)
{
    /// <summary>How long the processor limit kept the cell from running so far, added up over processors.</summary>
    public long? ThrottledNanoseconds { get; init; }

    /// <summary>In how many of its periods the processor limit did so.</summary>
    public long? ThrottledPeriods { get; init; }
}

/// <summary>The cell (or the process in it) is no longer there.</summary>
internal sealed class CellGoneException : Exception
{
    public CellGoneException(string message)
        : base(message)
    {
    }
}

/// <summary>The host's ends of one run's channels, and, opaque to all but the backend, the guest's.</summary>
internal abstract class RunChannels : IDisposable
{
    public abstract ByteSource Stdout { get; }

    public abstract ByteSource Stderr { get; }

    public abstract ByteSource Result { get; }

    /// <summary>Where the host says something to the run's code; null when it was not asked for.</summary>
    public abstract ByteSink? Host { get; }

    /// <summary>Closes all ends; what the guest writes afterwards goes nowhere.</summary>
    public abstract void Dispose();
}

/// <summary>Bytes coming from a guest.</summary>
internal abstract class ByteSource : IDisposable
{
    /// <summary>Reads some bytes; 0 at the end of file or once disposed.</summary>
    public abstract ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken);

    /// <summary>Reads what is already there: the number of bytes, 0 at the end of file, -1 when nothing is there now.</summary>
    public abstract int TryRead(Span<byte> buffer);

    /// <summary>
    /// Holds the calling thread until there is something to read, for a fraction of a millisecond at most. A source that cannot, or whose
    /// threads are needed elsewhere, returns at once. What <see cref="TryRead"/> says then is what counts.
    /// </summary>
    public virtual void WaitBriefly()
    {
    }

    public abstract void Dispose();
}

/// <summary>Bytes going to a guest.</summary>
internal abstract class ByteSink : IDisposable
{
    /// <summary>Writes all bytes; false when the guest closed its end.</summary>
    public abstract ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    public abstract void Dispose();
}

/// <summary>A two-way link that carries whole frames (4-byte big-endian length, at most 1 MiB), descriptors beside them where the backend can.</summary>
internal interface IFrameLink : IDisposable
{
    /// <summary>Sends a frame's body; with <paramref name="channels"/> the guest's ends of a run's channels travel along (and are closed here). Throws <see cref="CellGoneException"/> when the peer is gone.</summary>
    ValueTask SendAsync(ReadOnlyMemory<byte> body, RunChannels? channels, CancellationToken cancellationToken);

    /// <summary>Receives the next frame's body; null at the end of file. Throws <see cref="FrameException"/> for what is no frame.</summary>
    ValueTask<ReceivedFrame?> ReceiveAsync(CancellationToken cancellationToken);
}

/// <summary>A frame's body and the descriptor that came with it, if any (the receiver owns it).</summary>
internal readonly record struct ReceivedFrame(ReadOnlyMemory<byte> Body, Microsoft.Win32.SafeHandles.SafeFileHandle? Descriptor);

/// <summary>The peer sent what is no frame: a length of 0 or over the maximum, a truncated body, or descriptors where none belong.</summary>
internal sealed class FrameException : Exception
{
    public FrameException(string message)
        : base(message)
    {
    }
}
