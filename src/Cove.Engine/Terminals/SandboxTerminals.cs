using Cove.Engine.Guest;
using Cove.Engine.Isolation;
using Cove.Engine.Kernels;
using Cove.Engine.Runs;
using Cove.Engine.Sandboxes;

namespace Cove.Engine.Terminals;

/// <summary>The terminals of one sandbox.</summary>
internal sealed class SandboxTerminals(Sandbox sandbox, RunSettings settings)
{
    /// <summary>How many may be open at once; the sandbox's own limit on pseudo-terminals is 64, and the guest may want some.</summary>
    public const int Most = 16;

    private readonly Lock _lock = new();
    private readonly HashSet<SandboxTerminal> _open = [];
    private int _slots;
    private bool _closed;

    public async Task<Terminal> OpenAsync(TerminalRequest request, CancellationToken cancellationToken)
    {
        TakeSlot();
        try
        {
            var terminal = new SandboxTerminal(await StartAsync(request, cancellationToken), sandbox, settings.Time, Forget);
            if (!Add(terminal))
            {
                await terminal.DisposeAsync();
                throw new CellGoneException("The sandbox has ended.");
            }

            return terminal;
        }
        catch
        {
            GiveSlotBack();
            throw;
        }
    }

    /// <summary>The sandbox is gone: so is what its terminals were read from.</summary>
    public void Close()
    {
        SandboxTerminal[] open;
        lock (_lock)
        {
            _closed = true;
            open = [.. _open];
        }

        foreach (var terminal in open)
        {
            terminal.HangUp();
        }
    }

    private async Task<CellTerminal> StartAsync(TerminalRequest request, CancellationToken cancellationToken)
    {
        var before = StartFailure.Hits(sandbox.Cell);

        // The backend is not told of the token: a terminal it has opened must come back to be closed.
        var starting = sandbox.Cell.StartTerminalAsync(
            Spec(request), request.Columns ?? TerminalRules.DefaultColumns, request.Rows ?? TerminalRules.DefaultRows, sandbox.Limits, CancellationToken.None);
        try
        {
            return await starting.WaitAsync(Handshake.Limit, settings.Time, cancellationToken);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            CloseLate(starting);
            if (exception is TimeoutException)
            {
                throw new CoveException(Outcomes.CommandStartFailed("it did not start in time"));
            }

            throw;
        }
        catch (CoveException) when (StartFailure.Cause(sandbox.Cell, before, sandbox.Limits) is { } limit)
        {
            throw new CoveException(limit);
        }
    }

    private CommandSpec Spec(TerminalRequest request)
    {
        var directory = request.WorkingDirectory ?? KernelEnvironment.WorkingDirectory;
        var environment = KernelEnvironment.Build(directory, sandbox.Template.Environment, sandbox.Environment, request.Environment);
        environment.TryAdd("TERM", "xterm-256color");
        return new CommandSpec(request.Argv ?? ["/bin/bash", "-l"], directory, environment);
    }

    private void CloseLate(Task<CellTerminal> starting) => _ = starting.ContinueWith(
        async late =>
        {
            late.Result.Close();
            await KernelStarter.KillAsync(sandbox.Cell, late.Result.Process, settings.Time);
        },
        CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);

    private void TakeSlot()
    {
        lock (_lock)
        {
            if (_slots == Most)
            {
                throw Refusals.TooManyTerminals(Most);
            }

            _slots++;
        }
    }

    private bool Add(SandboxTerminal terminal)
    {
        lock (_lock)
        {
            return !_closed && _open.Add(terminal);
        }
    }

    private void Forget(SandboxTerminal terminal)
    {
        lock (_lock)
        {
            if (!_open.Remove(terminal))
            {
                return; // it was never added: who opens it gives its slot back
            }
        }

        GiveSlotBack();
    }

    private void GiveSlotBack()
    {
        lock (_lock)
        {
            _slots--;
        }
    }
}
