using System.Collections.Concurrent;
using System.Text.Json;
using Cove.Engine.Templates;
using Microsoft.Win32.SafeHandles;

namespace Cove.Engine.Isolation.Namespaces;

/// <summary>A cell as the engine sees it: requests to the launcher that holds it.</summary>
internal sealed partial class NamespaceCell : Cell
{
    // Entering a cell takes about a millisecond; a hostile cell can slow it (its processor limit) but not for ever.
    private readonly ConcurrentBag<IFrameLink> _controls = [];
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    private readonly NamespacesBackend _backend;
    private readonly LauncherLink _launcher;
    private readonly Template _template;
    private readonly TaskCompletionSource<CellExit> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _freed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lazy<Task> _killed;
    private UsageReader? _usage;
    private NamespaceProcess? _firstPython;
    private int _disposed;

    public NamespaceCell(NamespacesBackend backend, LauncherLink launcher, string name, Template template)
    {
        _backend = backend;
        _launcher = launcher;
        _template = template;
        Name = name;
        _killed = new Lazy<Task>(KillOnceAsync);
    }

    public string Name { get; }

    public override Task<CellExit> Exited => _exited.Task;

    /// <summary>
    /// Draws the boundary and has the Python kernel forked meanwhile: each takes some milliseconds, and nearly every cell wants both.
    /// </summary>
    public async Task StartAsync(SandboxLimits limits, CancellationToken cancellationToken)
    {
        _firstPython = await StartProcessAsync("cell", json =>
        {
            json.WriteString("template", _template.Name);
            LauncherJson.WriteLimits(json, limits);
        }, answer => _usage = new UsageReader(answer.GetProperty("files")), cancellationToken);
        _backend.CountKernel(_template);
    }

    public override async Task<CellProcess> StartKernelAsync(Language language, SandboxLimits limits, CancellationToken cancellationToken)
    {
        if (language != Language.Python)
        {
            return await StartKernelAsync(language, cancellationToken);
        }

        if (Interlocked.Exchange(ref _firstPython, null) is { } first)
        {
            return first;
        }

        var process = await _backend.WithZygoteAsync(_template, () => StartKernelAsync(language, cancellationToken), cancellationToken);
        _backend.CountKernel(_template);
        return process;
    }

    private Task<NamespaceProcess> StartKernelAsync(Language language, CancellationToken cancellationToken) =>
        StartProcessAsync("kernel", json => json.WriteString("language", Wire(language)), _ => { }, cancellationToken);

    public override async Task<CellCommand> StartCommandAsync(CommandSpec command, SandboxLimits limits, CancellationToken cancellationToken)
    {
        var process = _backend.AddProcess(this, null);
        var (stdinReader, stdinWriter) = Libc.OpenPipe(readerWaits: true, writerWaits: false);
        var (stdoutReader, stdoutWriter) = Libc.OpenPipe(readerWaits: false, writerWaits: true);
        var (stderrReader, stderrWriter) = Libc.OpenPipe(readerWaits: false, writerWaits: true);
        using (stdinReader)
        using (stdoutWriter)
        using (stderrWriter)
        {
            try
            {
                await AskAsync("command", json => LauncherJson.WriteCommand(json, process.Id, command), [stdinReader, stdoutWriter, stderrWriter], cancellationToken);
            }
            catch
            {
                _backend.ForgetProcess(process);
                stdinWriter.Dispose();
                stdoutReader.Dispose();
                stderrReader.Dispose();
                throw;
            }
        }

        return new CellCommand(
            process, new PipeSink(_backend.Reactor, stdinWriter), new PipeSource(_backend.Reactor, stdoutReader), new PipeSource(_backend.Reactor, stderrReader));
    }

    public override RunChannels OpenRunChannels(bool host) => new PipeRunChannels(_backend.Reactor, host);

    public override async Task<IFrameLink> OpenFilesAsync(CancellationToken cancellationToken)
    {
        var (ours, theirs) = Libc.OpenSocketPair();
        using (theirs)
        {
            var link = new UnixFrameLink(_backend.Reactor, ours);
            try
            {
                await AskAsync("files", _ => { }, [theirs], cancellationToken);
                return link;
            }
            catch
            {
                link.Dispose();
                throw;
            }
        }
    }

    public override Task SignalAsync(CellProcess process, CellSignal signal, CancellationToken cancellationToken) =>
        AskAsync("signal", json =>
        {
            json.WriteNumber("process", ((NamespaceProcess)process).Id);
            json.WriteString("signal", signal switch
            {
                CellSignal.Interrupt => "interrupt",
                CellSignal.Terminate => "terminate",
                _ => "kill_tree",
            });
        }, [], cancellationToken);

    public override Task SetLimitsAsync(SandboxLimits limits, CancellationToken cancellationToken) =>
        AskAsync("limits", json => LauncherJson.WriteLimits(json, limits), [], cancellationToken);

    public override CellUsage ReadUsage() => _usage?.Read() ?? default;

    public override CellUsage ReadHits() => _usage?.ReadHits() ?? default;

    public override CellUsage ReadEnd() => _usage?.ReadEnd() ?? default;

    public override long? ReadCpu() => _usage?.ReadCpu();

    public override Task KillAsync() => _killed.Value;

    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
        {
            return;
        }

        await KillAsync();
        try
        {
            await _freed.Task.WaitAsync(_patience);
        }
        catch (TimeoutException)
        {
            // The kernel takes long, and the launcher goes on trying.
        }

        // Their peers are dead. Without this they would stay open until the garbage collector comes by.
        foreach (var control in _controls)
        {
            control.Dispose();
        }

        _usage?.Dispose();
        _backend.ForgetCell(this);
    }

    internal bool IsOf(LauncherLink launcher) => ReferenceEquals(_launcher, launcher);

    internal void Die(CellExit exit) => _exited.TrySetResult(exit);

    /// <summary>The host holds nothing of it any more.</summary>
    internal void BeFreed() => _freed.TrySetResult();

    private async Task KillOnceAsync()
    {
        Die(new CellExit(ByBackendFailure: false, "disposed"));
        try
        {
            using var timeout = new CancellationTokenSource(_patience);
            var answer = await _launcher.AskAsync("destroy", json => json.WriteString("cell", Name), [], timeout.Token, onThisThread: true);
            if (answer.GetProperty("freed").GetBoolean())
            {
                BeFreed();
            }
        }
        catch (Exception error) when (error is CellGoneException or LauncherRefusedException)
        {
            BeFreed(); // the launcher is gone, and the cell with it
        }
        catch (OperationCanceledException)
        {
            // Without groups to name its processes the end of its first one is waited for; the launcher goes on.
        }
    }

    private static string Wire(Language language) => language switch
    {
        Language.Bash => "bash",
        Language.JavaScript => "javascript",
        _ => "python",
    };

    /// <summary>Asks for a process with a control link.</summary>
    private async Task<NamespaceProcess> StartProcessAsync(
        string operation, Action<Utf8JsonWriter> writeFields, Action<JsonElement> onAnswer, CancellationToken cancellationToken)
    {
        var (ours, theirs) = Libc.OpenSocketPair();
        using (theirs)
        {
            var process = _backend.AddProcess(this, new UnixFrameLink(_backend.Reactor, ours));
            try
            {
                onAnswer(await AskAsync(operation, json =>
                {
                    json.WriteNumber("process", process.Id);
                    writeFields(json);
                }, [theirs], cancellationToken));
                _controls.Add(process.Control!);
                return process;
            }
            catch
            {
                _backend.ForgetProcess(process);
                process.Control!.Dispose();
                throw;
            }
        }
    }

    private async Task<JsonElement> AskAsync(
        string operation, Action<Utf8JsonWriter> writeFields, SafeFileHandle[] descriptors, CancellationToken cancellationToken)
    {
        try
        {
            return await _launcher.AskAsync(operation, json =>
            {
                json.WriteString("cell", Name);
                writeFields(json);
            }, descriptors, cancellationToken);
        }
        catch (LauncherRefusedException refusal) when (refusal.Code is "cell_gone")
        {
            throw new CellGoneException(refusal.Message);
        }
        catch (LauncherRefusedException refusal)
        {
            throw new CoveException(new RunError
            {
                Code = refusal.Code, Category = ErrorCategory.Infrastructure, Retryable = refusal.Code is "zygote_gone" or "host_error",
                Message = $"The launcher refused {operation}: {refusal.Message}.", Remediation = "Try again; if it stays, run `cove doctor`.",
            });
        }
    }
}
