using Cove.Engine.Isolation;
using Cove.Engine.Guest;
using Cove.Engine.Kernels;
using Cove.Engine.Runs;
using Cove.Engine.Sandboxes;
using Cove.Engine.Templates;

namespace Cove.Engine.Pool;

/// <summary>
/// Turns a request into a sandbox: a place under the cap, a cell from the template's pool (or one made for limits that a parked
/// cell cannot be lowered to), its configuration. With a parked cell and free places nothing on the way waits or changes threads.
/// </summary>
internal sealed class ClaimDesk : IAsyncDisposable
{
    private readonly CellFactory _factory;
    private readonly EngineOptions _options;
    private readonly RunSettings _settings;
    private readonly SandboxTable _sandboxes;
    private readonly FifoGate _places;
    private readonly Dictionary<string, CellPool> _pools = [];
    private bool _stopped;

    public ClaimDesk(
        IReadOnlyDictionary<string, LoadedTemplate> templates, CellFactory factory, EngineOptions options, RunSettings settings, SandboxTable sandboxes)
    {
        _factory = factory;
        _options = options;
        _settings = settings;
        _sandboxes = sandboxes;
        _places = new FifoGate(options.MaxSandboxes, settings.Time);
        foreach (var (name, loaded) in templates)
        {
            _pools.Add(name, new CellPool(loaded, options.PoolSize ?? loaded.Template.PoolSize, factory, settings.Time, settings.Logger));
        }
    }

    /// <summary>Parked cells by template.</summary>
    public IReadOnlyDictionary<string, int> Parked => _pools.ToDictionary(p => p.Key, p => p.Value.Parked);

    public void Start()
    {
        foreach (var pool in _pools.Values)
        {
            pool.Start();
        }
    }

    public async Task<Sandbox> ClaimAsync(SandboxPlan plan, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var started = _settings.Time.GetTimestamp();
        if (!_places.TryEnter())
        {
            var ahead = _places.Waiting;
            if (!await _places.EnterAsync(timeout, cancellationToken))
            {
                throw Refusals.CreateDeadline(timeout, ahead, $"the engine option MaxSandboxes (now {_options.MaxSandboxes})");
            }
        }

        Sandbox sandbox;
        try
        {
            sandbox = await MakeAsync(plan, started, timeout, cancellationToken);
        }
        catch
        {
            _places.Leave();
            throw;
        }

        // Its own end gives the place back by now, also the end of one that was over before it was handed out.
        if (sandbox.State != SandboxState.Ready)
        {
            throw Refusals.SandboxEnded(sandbox.Id, sandbox.EndReason);
        }

        var duration = _settings.Time.GetElapsedTime(started);
        EngineMeter.SandboxCreated(plan.Loaded.Template.Name, duration);
        _settings.Logger.SandboxCreated(sandbox.Id, plan.Loaded.Template.Name, duration.TotalMilliseconds);
        return sandbox;
    }

    public async ValueTask DisposeAsync()
    {
        Volatile.Write(ref _stopped, true);
        foreach (var pool in _pools.Values)
        {
            await pool.DisposeAsync();
        }
    }

    /// <summary>A parked cell may die between being taken and being configured: the next one is tried, while there is time.</summary>
    private async ValueTask<Sandbox> MakeAsync(SandboxPlan plan, long started, TimeSpan timeout, CancellationToken cancellationToken)
    {
        while (true)
        {
            var left = timeout - _settings.Time.GetElapsedTime(started);
            var parked = await TakeAsync(plan, left > TimeSpan.Zero ? left : TimeSpan.Zero, timeout, cancellationToken);
            try
            {
                return await ConfigureAsync(plan, parked, cancellationToken);
            }
            catch (Exception exception) when (exception is CellGoneException or TimeoutException && _settings.Time.GetElapsedTime(started) < timeout)
            {
                await parked.Cell.DisposeAsync();
            }
            catch (Exception exception)
            {
                await parked.Cell.DisposeAsync();
                if (exception is CellGoneException or TimeoutException)
                {
                    throw Refusals.CellStartFailed(exception.Message, exception);
                }

                throw;
            }
        }
    }

    private ValueTask<ParkedCell> TakeAsync(SandboxPlan plan, TimeSpan left, TimeSpan timeout, CancellationToken cancellationToken) =>
        LimitRanges.CanLower(plan.Loaded.Template.Limits, plan.Limits)
            ? _pools[plan.Loaded.Template.Name].TakeAsync(left, cancellationToken)
            : MakeFreshAsync(plan, left, timeout, cancellationToken);

    /// <summary>Limits above the template's cannot be raised in a parked cell: rlimits only ever go down.</summary>
    private async ValueTask<ParkedCell> MakeFreshAsync(SandboxPlan plan, TimeSpan left, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(left, _settings.Time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, deadline.Token);
        if (!await _factory.EnterAsync(left, cancellationToken))
        {
            throw Refusals.CreateDeadline(timeout, 0, $"the engine option CreateConcurrency (now {_options.CreateConcurrency})");
        }

        try
        {
            return await _factory.MakeAsync(plan.Loaded, plan.Limits, rehearse: false, both.Token);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw Refusals.CreateDeadline(timeout, 0, $"the limits of the template '{plan.Loaded.Template.Name}', so that a parked cell can be lowered to those asked for");
        }
        catch (Exception exception) when (exception is not (CoveException or OperationCanceledException))
        {
            throw Refusals.CellStartFailed(exception.Message, exception);
        }
        finally
        {
            _factory.Leave();
        }
    }

    private async ValueTask<Sandbox> ConfigureAsync(SandboxPlan plan, ParkedCell parked, CancellationToken cancellationToken)
    {
        if (!parked.IsAlive)
        {
            throw new CellGoneException("The parked cell ended."); // nothing may have to be sent to it, which would have told
        }

        if (parked.Limits != plan.Limits)
        {
            await parked.Cell.SetLimitsAsync(plan.Limits, cancellationToken).WaitAsync(Handshake.Limit, _settings.Time, cancellationToken);
        }

        var environment = plan.Environment is { Count: > 0 }
            ? KernelEnvironment.Build(KernelEnvironment.WorkingDirectory, plan.Loaded.Template.Environment, plan.Environment)
            : parked.Environment;
        if (parked.Python is { } python && (environment != parked.Environment || parked.Limits != plan.Limits))
        {
            var configuring = KernelStarter.ConfigureAsync(python, environment, plan.Limits, cancellationToken);
            if (!configuring.IsCompletedSuccessfully)
            {
                await configuring.AsTask().WaitAsync(Handshake.Limit, _settings.Time, cancellationToken);
            }
        }

        // From here on it owns the cell, and its end gives the place back.
        var sandbox = new Sandbox(plan, parked.Cell, environment, _settings, OnEnded);
        if (parked.Python is not null)
        {
            sandbox.Kernels.Adopt(Language.Python, parked.Python);
        }

        _sandboxes.Add(sandbox);
        sandbox.BecomeReady();
        if (Volatile.Read(ref _stopped))
        {
            await sandbox.EndAsync(SandboxEndReason.EngineStopped); // those that were live were ended before this one came
        }

        return sandbox;
    }

    private void OnEnded(Sandbox sandbox)
    {
        _sandboxes.Retire(sandbox);
        _places.Leave();
    }
}
