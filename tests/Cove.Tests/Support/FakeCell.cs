using Cove.Engine.Isolation;

namespace Cove.Tests.Support;

/// <summary>A boundary that exists only in memory. Its scripts say how what is inside behaves.</summary>
internal sealed class FakeCell : Cell
{
    private readonly TaskCompletionSource<CellExit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public List<FakeKernel> Kernels { get; } = [];

    public List<FakeCommand> Commands { get; } = [];

    public List<SandboxLimits> LimitChanges { get; } = [];

    /// <summary>What a kernel says first; null: nothing, ever.</summary>
    public Func<Language, string>? Hello { get; set; } = language =>
        $$"""{"t":"hello","generation":2,"language":"{{language.ToString().ToLowerInvariant()}}","version":"1.2.3"}""";

    /// <summary>Until a run is in its first kernel.</summary>
    public Task RunsAsync() => Eventually.Holds(() => Kernels[0].Current is not null, "the run is in the kernel");

    public Func<GuestRun, Task> OnExecute { get; set; } = run => run.DoneAsync();

    /// <summary>Whether a kernel has done what its script says, as far as that waits for nothing, before the sending of a run's frame returns.</summary>
    public bool AnswersAtOnce { get; set; }

    /// <summary>Each makes one kernel end as it says, with the frame of its next run still unread.</summary>
    public Queue<ProcessExit> DeathsBeforeRuns { get; } = new();

    public Func<FakeCommand, Task> OnCommand { get; set; } = command =>
    {
        command.Exit(0, null);
        return Task.CompletedTask;
    };

    /// <summary>Called with the channels of each run before anything goes through them.</summary>
    public Action<FakeChannels>? BeforeRun { get; set; }

    /// <summary>Called with a kernel before anything is sent to it.</summary>
    public Action<FakeKernel>? BeforeSend { get; set; }

    /// <summary>Called with a kernel that has taken a configuration.</summary>
    public Action<FakeKernel>? Configured { get; set; }

    public Func<FakeFileWorker> FileWorker { get; set; } = () => new FakeFileWorker();

    /// <summary>Awaited before a kernel, a command, new limits or a file worker are there, or a signal is delivered; may throw.</summary>
    public Func<Task> BeforeKernel { get; set; } = () => Task.CompletedTask;

    public Func<Task> BeforeCommand { get; set; } = () => Task.CompletedTask;

    public Func<Task> BeforeLimits { get; set; } = () => Task.CompletedTask;

    public Func<Task> BeforeFiles { get; set; } = () => Task.CompletedTask;

    /// <summary>Awaited before the end of a dead cell is over.</summary>
    public Func<Task> BeforeFreed { get; set; } = () => Task.CompletedTask;

    public Func<Task> BeforeSignal { get; set; } = () => Task.CompletedTask;

    public int FileWorkersStarted { get; private set; }

    public CellUsage Usage { get; set; } = new(10 << 20, 20 << 20, 0, 1_000_000, 3, 0);

    public bool IgnoresKill { get; set; }

    public bool ControlClosed { get; set; }

    public bool SignalsHang { get; set; }

    public bool Disposed { get; private set; }

    public override Task<CellExit> Exited => _exited.Task;

    public FakeKernel Kernel => Kernels[^1];

    /// <summary>The cell dies by itself.</summary>
    public void Die(bool byBackendFailure = false, string? detail = null)
    {
        foreach (var kernel in Kernels.ToArray())
        {
            kernel.Exit(null, 9);
        }

        foreach (var command in Commands.ToArray())
        {
            command.Exit(null, 9);
        }

        _exited.TrySetResult(new CellExit(byBackendFailure, detail));
    }

    public override async Task<CellProcess> StartKernelAsync(Language language, SandboxLimits limits, CancellationToken cancellationToken)
    {
        ThrowIfGone();
        await BeforeKernel();
        var kernel = new FakeKernel(this, language);
        Kernels.Add(kernel);
        return kernel;
    }

    public override async Task<CellCommand> StartCommandAsync(CommandSpec command, SandboxLimits limits, CancellationToken cancellationToken)
    {
        ThrowIfGone();
        await BeforeCommand();
        var process = new FakeCommand(command, this);
        Commands.Add(process);
        _ = Task.Run(() => OnCommand(process), CancellationToken.None);
        return new CellCommand(process, new MemorySink(process.In), process.Out, process.Err);
    }

    public override async Task<CellTerminal> StartTerminalAsync(
        CommandSpec command, int columns, int rows, SandboxLimits limits, CancellationToken cancellationToken)
    {
        ThrowIfGone();
        await BeforeCommand();
        var process = new FakeCommand(command, this) { Size = (columns, rows) };
        Commands.Add(process);
        _ = Task.Run(() => OnCommand(process), CancellationToken.None);
        return new CellTerminal(process, process.Out, new MemorySink(process.In), (c, r) => process.Size = (c, r));
    }

    public override RunChannels OpenRunChannels(bool host)
    {
        ThrowIfGone();
        var channels = new FakeChannels(host);
        BeforeRun?.Invoke(channels);
        return channels;
    }

    public override async Task<IFrameLink> OpenFilesAsync(CancellationToken cancellationToken)
    {
        ThrowIfGone();
        await BeforeFiles();
        FileWorkersStarted++;
        return FileWorker();
    }

    public override async Task SignalAsync(CellProcess process, CellSignal signal, CancellationToken cancellationToken)
    {
        ThrowIfGone();
        if (SignalsHang)
        {
            await new TaskCompletionSource().Task;
        }

        await BeforeSignal();
        switch (process)
        {
            case FakeKernel kernel:
                kernel.Signal(signal);
                break;
            case FakeCommand command:
                command.Signal(signal);
                break;
        }
    }

    public override async Task SetLimitsAsync(SandboxLimits limits, CancellationToken cancellationToken)
    {
        ThrowIfGone();
        await BeforeLimits();
        LimitChanges.Add(limits);
    }

    public override CellUsage ReadUsage()
    {
        return Usage;
    }

    public override Task KillAsync()
    {
        Die();
        return Task.CompletedTask;
    }

    public override async ValueTask DisposeAsync()
    {
        Disposed = true;
        Die();
        await BeforeFreed();
    }

    private void ThrowIfGone()
    {
        if (_exited.Task.IsCompleted)
        {
            throw new CellGoneException("The cell is gone.");
        }
    }
}

/// <summary>A command as its process sees it.</summary>
internal sealed class FakeCommand(CommandSpec spec, FakeCell cell) : CellProcess
{
    private readonly TaskCompletionSource<ProcessExit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _interrupted = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public CommandSpec Spec => spec;

    /// <summary>Columns and rows of its terminal, if it has one.</summary>
    public (int Columns, int Rows) Size { get; set; }

    public MemoryPipe In { get; } = new();

    public MemoryPipe Out { get; } = new();

    public MemoryPipe Err { get; } = new();

    public Task Interrupted => _interrupted.Task;

    public override IFrameLink? Control => null;

    public override Task<ProcessExit> Exited => _exited.Task;

    public void Exit(int? code, int? signal) => _exited.TrySetResult(new ProcessExit(code, signal));

    public void Signal(CellSignal signal)
    {
        if (signal == CellSignal.Interrupt)
        {
            _interrupted.TrySetResult();
        }
        else if (!cell.IgnoresKill)
        {
            Exit(null, 9);
        }
    }
}
