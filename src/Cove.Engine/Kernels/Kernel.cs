using Cove.Engine.Guest;
using Cove.Engine.Isolation;

namespace Cove.Engine.Kernels;

/// <summary>
/// One named kernel of a sandbox: a process that is replaced when it dies, and the gate that lets one run in at a time.
/// Everything but <see cref="Info"/> and <see cref="TryEnter"/> is called by who holds the gate.
/// </summary>
internal sealed class Kernel(string name, Language language, KernelHome home)
{
    private readonly FifoGate _gate = new(1, home.Time);
    private GreetedKernel? _current;
    private string? _version;
    private int _starts;
    private bool _lostState;

    public string Name => name;

    public Language Language => language;

    /// <summary>Whether it was started at least once; a kernel that never was is not listed.</summary>
    public bool WasStarted => Volatile.Read(ref _version) is not null;

    public KernelInfo Info => new()
    {
        Id = name,
        Language = language,
        Version = _version ?? "",
        Busy = _gate.IsFull,
        Restarts = Math.Max(0, _starts - 1),
    };

    /// <summary>Whether its process was interrupted during the last run, and may notice that as late as in the next one.</summary>
    public bool MayHaveStray { get; set; }

    public bool TryEnter() => _gate.TryEnter();

    public ValueTask<bool> EnterAsync(TimeSpan timeout, CancellationToken cancellationToken) => _gate.EnterAsync(timeout, cancellationToken);

    public void Leave() => _gate.Leave();

    /// <summary>Takes over a process that was started before its sandbox was claimed.</summary>
    public void Adopt(GreetedKernel greeted)
    {
        _current = greeted;
        _version = greeted.Greeting.Version;
        _starts = 1;
    }

    /// <summary>Whether its process can call tools.</summary>
    public bool CallsTools => _current is { Greeting.Generation: >= Frames.GenerationOfTools };

    /// <summary>The live process; null when there is none.</summary>
    public CellProcess? Live => _current is { Process: { Exited.IsCompleted: false } live } ? live : null;

    /// <summary>The live process, started when there is none. StateLost: variables of an earlier process are gone, and this is the first run to learn of it.</summary>
    public ValueTask<(CellProcess Process, bool StateLost)> EnsureStartedAsync(CancellationToken cancellationToken)
    {
        return Live is { } live ? new((live, false)) : StartAsync(cancellationToken);
    }

    /// <summary>Forgets a process that was killed or broke the protocol, so that it is never spoken to again.</summary>
    public void Discard()
    {
        if (_current is { } gone)
        {
            _current = null;
            _lostState = true;
            MayHaveStray = false;
            gone.Process.Control?.Dispose();
        }
    }

    /// <summary>Kills the process, if there is one.</summary>
    public async Task KillAsync()
    {
        if (_current is { } live)
        {
            await KernelStarter.KillAsync(home.Cell, live.Process, home.Time);
            Discard();
        }
    }

    private async ValueTask<(CellProcess Process, bool StateLost)> StartAsync(CancellationToken cancellationToken)
    {
        Discard();
        var greeted = await KernelStarter.GreetAsync(home.Cell, language, home.Limits, home.Time, cancellationToken);
        try
        {
            await KernelStarter.ConfigureAsync(greeted, home.Environment, home.Limits, cancellationToken);
        }
        catch (Exception exception)
        {
            await KernelStarter.KillAsync(home.Cell, greeted.Process, home.Time);
            if (exception is CellGoneException && !home.Cell.Exited.IsCompleted)
            {
                throw new HandshakeException("The kernel ended before it was configured.");
            }

            throw;
        }

        var lost = _lostState;
        _lostState = false;
        _current = greeted;
        _starts++;
        Volatile.Write(ref _version, greeted.Greeting.Version);
        return (greeted.Process, lost);
    }
}

/// <summary>What every kernel of a sandbox shares.</summary>
internal sealed record KernelHome(Cell Cell, SandboxLimits Limits, IReadOnlyDictionary<string, string> Environment, TimeProvider Time);
