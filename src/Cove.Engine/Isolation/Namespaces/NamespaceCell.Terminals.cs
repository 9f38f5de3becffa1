using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Cove.Engine.Isolation.Namespaces;

/// <summary>Terminals: the pair is made inside the cell, and its host's end is handed out before the guest runs.</summary>
internal sealed partial class NamespaceCell
{
    public override async Task<CellTerminal> StartTerminalAsync(
        CommandSpec command, int columns, int rows, SandboxLimits limits, CancellationToken cancellationToken)
    {
        var process = _backend.AddProcess(this, null);
        var (ours, theirs) = Libc.OpenSocketPair();
        using var link = new UnixFrameLink(_backend.Reactor, ours);
        using (theirs)
        {
            try
            {
                await AskAsync("terminal", json =>
                {
                    LauncherJson.WriteCommand(json, process.Id, command);
                    json.WriteNumber("columns", columns);
                    json.WriteNumber("rows", rows);
                }, [theirs], cancellationToken);
            }
            catch
            {
                _backend.ForgetProcess(process);
                throw;
            }
        }

        try
        {
            return Open(process, await MasterAsync(link, cancellationToken));
        }
        catch
        {
            await KillQuietlyAsync(process);
            throw;
        }
    }

    private static async Task<SafeFileHandle> MasterAsync(UnixFrameLink link, CancellationToken cancellationToken)
    {
        ReceivedFrame? frame;
        try
        {
            frame = await link.ReceiveAsync(cancellationToken);
        }
        catch (FrameException)
        {
            frame = null;
        }

        return frame?.Descriptor ?? throw new CoveException(new RunError
        {
            Code = "terminal_failed",
            Category = ErrorCategory.Limit,
            Retryable = true,
            Message = $"The sandbox could not open a terminal: {Said(frame)}.",
            Remediation = "Close terminals that are not needed; programs in the sandbox may hold its pseudo-terminals (64 in all), its processes or its memory.",
        });
    }

    private static string Said(ReceivedFrame? frame)
    {
        if (frame is null)
        {
            return "its process ended before it had one";
        }

        using var said = JsonDocument.Parse(frame.Value.Body);
        return said.RootElement.TryGetProperty("message", out var message) && message.GetString() is { Length: < 200 } text ? text : "no reason was given";
    }

    private CellTerminal Open(NamespaceProcess process, SafeFileHandle master)
    {
        // The launcher's own child made it and no guest ever held this end: its flags are ours alone.
        Libc.MakeNonBlocking(master);
        var watched = _backend.Reactor.Watch(master);
        return new CellTerminal(process, new PipeSource(watched), new PipeSink(watched), (columns, rows) => Resize(master, columns, rows));
    }

    private static unsafe void Resize(SafeFileHandle master, int columns, int rows)
    {
        var size = new Libc.WindowSize { Columns = (ushort)columns, Rows = (ushort)rows };
        try
        {
            _ = Libc.SetWindowSize(master, Libc.TIOCSWINSZ, &size);
        }
        catch (ObjectDisposedException)
        {
            // Closed meanwhile: it has no size any more.
        }
    }

    private async Task KillQuietlyAsync(NamespaceProcess process)
    {
        try
        {
            using var limit = new CancellationTokenSource(_patience);
            await SignalAsync(process, CellSignal.KillTree, limit.Token);
        }
        catch (Exception error) when (error is CellGoneException or CoveException or OperationCanceledException)
        {
            // It is dead, or dies with its cell.
        }
    }
}
