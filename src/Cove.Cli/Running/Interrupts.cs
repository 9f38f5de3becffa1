using System.Runtime.InteropServices;

namespace Cove.Cli.Running;

/// <summary>Ctrl-C: the first interrupts the run, the second kills it, the third leaves. SIGTERM and SIGHUP interrupt, too, so that nothing is left behind.</summary>
internal sealed class Interrupts : IDisposable
{
    private readonly List<PosixSignalRegistration> _signals = [];
    private readonly CancellationTokenSource _interrupted = new();
    private readonly Func<Task> _kill;
    private int _count;

    public Interrupts(Func<Task> kill)
    {
        _kill = kill;
        foreach (var signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP })
        {
            _signals.Add(PosixSignalRegistration.Create(signal, On));
        }
    }

    public CancellationToken Token => _interrupted.Token;

    public void Interrupt() => _interrupted.Cancel();

    public void Dispose()
    {
        foreach (var signal in _signals)
        {
            signal.Dispose();
        }

        _interrupted.Dispose();
    }

    private void On(PosixSignalContext context)
    {
        switch (Interlocked.Increment(ref _count))
        {
            case 1:
                context.Cancel = true;
                _interrupted.Cancel();
                break;
            case 2:
                context.Cancel = true;
                _ = KillAsync();
                break;
        }
    }

    private async Task KillAsync()
    {
        try
        {
            await _kill();
        }
        catch (CoveException)
        {
            // It is over, or the engine is; either way the run's stream tells.
        }
    }
}
