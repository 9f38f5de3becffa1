using System.Collections.Concurrent;
using Cove.Engine.Isolation;
using Cove.Engine.Templates;

namespace Cove.Tests.Support;

/// <summary>A backend in memory; every promise of the low seam is kept unless the test breaks it on purpose.</summary>
internal sealed class FakeBackend : IIsolationBackend
{
    private int _starts;

    public ConcurrentQueue<FakeCell> Cells { get; } = new();

    /// <summary>Called for every cell before it is handed out.</summary>
    public Action<FakeCell> Script { get; set; } = _ => { };

    /// <summary>Awaited before a cell is made; may throw.</summary>
    public Func<int, Task> BeforeStart { get; set; } = _ => Task.CompletedTask;

    public int Starts => Volatile.Read(ref _starts);

    public int Running { get; private set; }

    public TemplateFacts Facts { get; set; } = new()
    {
        Packages = new Dictionary<string, string> { ["numpy"] = "1.24.2", ["pandas"] = "1.5.3" },
        Languages = new Dictionary<string, string> { ["python"] = "3.11.2", ["bash"] = "5.2" },
    };

    public BackendCapabilities Capabilities { get; } = new() { Name = "fake", Fork = ForkCapability.None, Pause = false };

    public IsolationTier Tier { get; } = new() { Backend = "fake", Privilege = "bare", Degraded = [] };

    public bool Stopped { get; private set; }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task<TemplateFacts> PrepareAsync(Template template, CancellationToken cancellationToken) => Task.FromResult(Facts);

    public async Task<Cell> StartCellAsync(Template template, SandboxLimits limits, CancellationToken cancellationToken)
    {
        await BeforeStart(Interlocked.Increment(ref _starts)).WaitAsync(cancellationToken);
        var cell = new FakeCell();
        Script(cell);
        Cells.Enqueue(cell);
        return cell;
    }

    public ValueTask DisposeAsync()
    {
        Stopped = true;
        return default;
    }
}
