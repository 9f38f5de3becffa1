using Cove.Engine.Isolation;
using Cove.Engine.Kernels;
using Cove.Engine.Runs;
using Cove.Engine.Sandboxes;

namespace Cove.Engine.Terminals;

/// <summary>
/// One open terminal. Nothing of it is held in memory: what nobody reads stays in the kernel's buffer, and the guest's program waits.
/// It is over when its command ended; what others still write to it then is not waited for.
/// </summary>
internal sealed class SandboxTerminal : Terminal
{
    /// <summary>While the command lives and nobody holds the terminal: how soon to look again.</summary>
    private static readonly TimeSpan Reopening = TimeSpan.FromMilliseconds(250);

    private readonly CellTerminal _terminal;
    private readonly Sandbox _sandbox;
    private readonly TimeProvider _time;
    private readonly Action<SandboxTerminal> _closed;
    private readonly SemaphoreSlim _typing = new(1, 1);
    private readonly CancellationTokenSource _over = new();
    private readonly Sandbox.Use _use;
    private int _disposed;
    private int _hungUp;

    public SandboxTerminal(CellTerminal terminal, Sandbox sandbox, TimeProvider time, Action<SandboxTerminal> closed)
    {
        _terminal = terminal;
        _sandbox = sandbox;
        _time = time;
        _closed = closed;
        _use = sandbox.BeginUse();
        ExitCode = WatchAsync();
    }

    public override Task<int?> ExitCode { get; }

    private bool IsOver => _over.IsCancellationRequested || Volatile.Read(ref _hungUp) == 1;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            // Looked at first: what is there when the command has ended is all there will be.
            var over = _over.IsCancellationRequested;
            var count = _terminal.Output.TryRead(buffer.Span);
            if (count > 0 || over || Volatile.Read(ref _hungUp) == 1)
            {
                return Math.Max(count, 0);
            }

            count = await WaitAsync(count < 0 ? buffer : Memory<byte>.Empty, cancellationToken);
            if (count > 0)
            {
                return count;
            }
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> input, CancellationToken cancellationToken = default)
    {
        await _typing.WaitAsync(cancellationToken);
        try
        {
            if (IsOver || (!await _terminal.Input.WriteAsync(input, cancellationToken) && IsOver))
            {
                throw Refusals.TerminalEnded();
            }
        }
        finally
        {
            _typing.Release();
        }
    }

    public override ValueTask ResizeAsync(int columns, int rows, CancellationToken cancellationToken = default)
    {
        TerminalRules.Size(columns, rows);
        _terminal.Resize(columns, rows);
        return ValueTask.CompletedTask;
    }

    public override async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
        {
            return;
        }

        if (!_over.IsCancellationRequested && !await KernelStarter.KillAsync(_sandbox.Cell, _terminal.Process, _time))
        {
            // As for a run whose kill does not help: what cannot be ended takes its sandbox along.
            _ = _sandbox.EndAsync(SandboxEndReason.InfrastructureFailure);
        }

        HangUp();
        await ExitCode;
    }

    /// <summary>Closes the host's end, whatever becomes of what ran in it.</summary>
    public void HangUp()
    {
        if (Interlocked.Exchange(ref _hungUp, 1) == 0)
        {
            _terminal.Close();
            _closed(this);
        }
    }

    private async Task<int?> WatchAsync()
    {
        await Task.WhenAny(_terminal.Process.Exited, _sandbox.Cell.Exited);
        await _over.CancelAsync();
        _use.Dispose();
        return _terminal.Process.Exited is { IsCompletedSuccessfully: true, Result: var exit } ? Signals.ExitCode(exit) : null;
    }

    /// <summary>Waits until there may be something to read; with an empty buffer, nobody holds the terminal and only time can tell.</summary>
    private async ValueTask<int> WaitAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _over.Token);
        try
        {
            if (!buffer.IsEmpty)
            {
                return await _terminal.Output.ReadAsync(buffer, either.Token);
            }

            await Task.Delay(Reopening, _time, either.Token);
            return 0;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return 0;
        }
    }
}
