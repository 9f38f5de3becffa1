using Cove.Engine.Guest;
using Cove.Engine.Isolation;
using Cove.Engine.Kernels;
using Cove.Engine.Templates;

namespace Cove.Engine.Pool;

/// <summary>Makes cells that are ready to be claimed, a bounded number at once for all templates together.</summary>
internal sealed class CellFactory(IIsolationBackend backend, int concurrency, TimeProvider time)
{
    /// <summary>How long making one cell may take; longer is a failure like any other.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly FifoGate _slots = new(concurrency, time);

    /// <summary>Waits for a slot; false when none came free in time.</summary>
    public ValueTask<bool> EnterAsync(TimeSpan timeout, CancellationToken cancellationToken) => _slots.EnterAsync(timeout, cancellationToken);

    public void Leave() => _slots.Leave();

    /// <summary>Makes one cell. The caller holds a slot, and says whether the kernel is to rehearse a run: not while somebody waits for a cell, this or the next.</summary>
    public async Task<ParkedCell> MakeAsync(LoadedTemplate loaded, SandboxLimits limits, bool rehearse, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Limit, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        var starting = backend.StartCellAsync(loaded.Template, limits, both.Token);
        try
        {
            var cell = await starting.WaitAsync(both.Token);
            return await GreetAsync(cell, loaded, limits, rehearse, both.Token);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            DisposeLate(starting);
            throw new TimeoutException($"a cell was not ready within {Limit.TotalSeconds:0} s", exception);
        }
        catch (OperationCanceledException)
        {
            DisposeLate(starting);
            throw;
        }
    }

    private async Task<ParkedCell> GreetAsync(Cell cell, LoadedTemplate loaded, SandboxLimits limits, bool rehearse, CancellationToken cancellationToken)
    {
        try
        {
            var python = loaded.Facts.Languages.ContainsKey(KernelLanguages.Name(Language.Python))
                ? await KernelStarter.GreetAsync(cell, Language.Python, limits, time, cancellationToken)
                : null;
            var environment = KernelEnvironment.Build(KernelEnvironment.WorkingDirectory, loaded.Template.Environment, sandbox: null);
            if (python is not null)
            {
                await KernelStarter.ConfigureAsync(python, environment, limits, cancellationToken, rehearse);
            }

            return new ParkedCell(cell, python, limits, environment);
        }
        catch
        {
            await cell.DisposeAsync();
            throw;
        }
    }

    /// <summary>A cell that comes after nobody wants it any more.</summary>
    private static void DisposeLate(Task<Cell> starting) => _ = starting.ContinueWith(
        static late => late.Result.DisposeAsync().AsTask(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
}
