using Cove.Engine.Files;
using Cove.Engine.Isolation;
using Cove.Engine.Journal;
using Cove.Engine.Kernels;
using Cove.Engine.Runs;
using Cove.Engine.Templates;
using Cove.Engine.Terminals;

namespace Cove.Engine.Sandboxes;

/// <summary>What a sandbox is made with.</summary>
internal sealed record SandboxPlan
{
    public required LoadedTemplate Loaded { get; init; }

    public required SandboxLimits Limits { get; init; }

    public IReadOnlyDictionary<string, string>? Environment { get; init; }

    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    public required TimeSpan IdleTimeout { get; init; }

    public required TimeSpan MaxLifetime { get; init; }

    public NetworkPolicy Network { get; init; }

    /// <summary>To whom its journal is counted.</summary>
    public string? Owner { get; init; }
}

/// <summary>One sandbox: it owns a cell, the kernels and runs in it, and its own end.</summary>
internal sealed class Sandbox : IAsyncDisposable
{
    private static readonly TimeSpan TearDownLimit = TimeSpan.FromSeconds(30);

    private readonly SandboxPlan _plan;
    private readonly RunSettings _settings;
    private readonly Action<Sandbox> _ended;
    private readonly Lock _lock = new();
    private readonly Dictionary<RunId, Run> _runs = [];
    private readonly TaskCompletionSource _killed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _tornDown = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly IdleReaper _reaper;
    private readonly DateTimeOffset _createdAt;
    private DateTimeOffset _expiresAt;
    private TimeSpan _idleTimeout;
    private TaskCompletionSource? _lastRunEnded;
    private SandboxState _state = SandboxState.Creating;
    private SandboxEndReason? _endReason;

    /// <summary>Its Python kernel, if it has one, was configured with <paramref name="environment"/> before.</summary>
    public Sandbox(SandboxPlan plan, Cell cell, IReadOnlyDictionary<string, string> environment, RunSettings settings, Action<Sandbox> ended)
    {
        _plan = plan;
        _settings = settings;
        _ended = ended;
        _createdAt = settings.Time.GetUtcNow();
        _expiresAt = _createdAt + plan.MaxLifetime;
        _idleTimeout = plan.IdleTimeout;
        Journal = settings.Journals.Create(plan.Owner);
        Cell = cell;
        Files = new SandboxFiles(cell, settings.Time, settings.Logger);
        Kernels = new KernelTable(new KernelHome(cell, plan.Limits, environment, settings.Time), plan.Loaded.Facts);
        Terminals = new SandboxTerminals(this, settings);
        _reaper = new IdleReaper(settings.Time, plan.IdleTimeout, plan.MaxLifetime, reason => _ = EndAsync(reason));
    }

    public SandboxId Id => Journal.Sandbox;

    public Template Template => _plan.Loaded.Template;

    public TemplateFacts Facts => _plan.Loaded.Facts;

    public SandboxLimits Limits => _plan.Limits;

    public IReadOnlyDictionary<string, string>? Environment => _plan.Environment;

    public Cell Cell { get; }

    public KernelTable Kernels { get; }

    public SandboxFiles Files { get; }

    public SandboxJournal Journal { get; }

    /// <summary>What it used of the processor, told piece by piece.</summary>
    public CpuMeter Cpu { get; } = new();

    public SandboxTerminals Terminals { get; }

    public SandboxState State
    {
        get
        {
            lock (_lock)
            {
                return _state;
            }
        }
    }

    public SandboxEndReason? EndReason
    {
        get
        {
            lock (_lock)
            {
                return _endReason;
            }
        }
    }

    public SandboxInfo Info
    {
        get
        {
            lock (_lock)
            {
                return new SandboxInfo
                {
                    Id = Id,
                    Template = Template.Name,
                    State = _state,
                    EndReason = _endReason,
                    Limits = Limits,
                    Isolation = _settings.Tier,
                    Network = _plan.Network,
                    Metadata = _plan.Metadata,
                    CreatedAt = _createdAt,
                    ExpiresAt = _expiresAt,
                    IdleTimeout = _idleTimeout,
                };
            }
        }
    }

    /// <summary>It answers now; from here on the death of its cell ends it.</summary>
    public void BecomeReady()
    {
        lock (_lock)
        {
            _state = SandboxLifecycle.Next(_state, SandboxTrigger.Made);
        }

        Journal.Begin(Info);
        _ = Cell.Exited.ContinueWith(
            exit => OnCellExited(exit.Result), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    /// <summary>Changes how long it lives, counted from now.</summary>
    public SandboxInfo Extend(SandboxExtension extension)
    {
        lock (_lock)
        {
            if (_state != SandboxState.Ready)
            {
                throw Refusals.SandboxEnded(Id, _endReason);
            }

            _expiresAt = extension.Lifetime is { } left ? _settings.Time.GetUtcNow() + left : _expiresAt;
            _idleTimeout = extension.IdleTimeout ?? _idleTimeout;
        }

        _reaper.Extend(extension.IdleTimeout, extension.Lifetime);
        var info = Info;
        Journal.Append("extended", info);
        return info;
    }

    /// <summary>Counts as use until the answer is disposed: an idle sandbox is one in which nothing is in progress.</summary>
    public Use BeginUse() => new(_reaper);

    /// <summary>Admits a run; null and the error when it cannot be.</summary>
    public Run? Admit(RunId? id, out RunError? refusal)
    {
        lock (_lock)
        {
            refusal = _state != SandboxState.Ready ? Refusals.SandboxEnded(Id, _endReason).Error
                : id is { } given && (_runs.ContainsKey(given) || Journal.Find(given) is not null) ? Outcomes.RunIdInUse(given)
                : null;
            if (refusal is not null)
            {
                return null;
            }

            var run = new Run(id ?? RunId.New(), Journal, _settings.Time);
            _runs.Add(run.Id, run);
            _reaper.Enter();
            return run;
        }
    }

    /// <summary>A run has ended.</summary>
    public void Forget(Run run)
    {
        lock (_lock)
        {
            if (!_runs.Remove(run.Id))
            {
                return;
            }

            if (_runs.Count == 0)
            {
                _lastRunEnded?.TrySetResult();
            }
        }

        _reaper.Leave();
    }

    /// <summary>Runs in progress.</summary>
    public int Runs
    {
        get
        {
            lock (_lock)
            {
                return _runs.Count;
            }
        }
    }

    public Run? FindRun(RunId id)
    {
        lock (_lock)
        {
            return _runs.GetValueOrDefault(id);
        }
    }

    /// <summary>Kills the run that is in that kernel, if there is one.</summary>
    public void KillRunIn(string kernel)
    {
        lock (_lock)
        {
            foreach (var run in _runs.Values)
            {
                if (run.Kernel == kernel)
                {
                    run.Stop.Request(StopReason.Kill);
                }
            }
        }
    }

    /// <summary>Ends the sandbox and all in it, once; completes when it is gone.</summary>
    public Task EndAsync(SandboxEndReason reason)
    {
        lock (_lock)
        {
            var trigger = reason == SandboxEndReason.Died ? SandboxTrigger.CellDied : SandboxTrigger.EndAsked;
            var before = _state;
            _state = SandboxLifecycle.Next(before, trigger);
            if (before is SandboxState.Ending or SandboxState.Ended)
            {
                return _tornDown.Task;
            }

            _endReason = reason;
        }

        _ = TearDownAsync(reason);
        return _tornDown.Task;
    }

    /// <summary>Ends it likewise; completes when it is unreachable and killed and its runs have their ends. What it held is given back behind that.</summary>
    public Task KillAsync(SandboxEndReason reason)
    {
        _ = EndAsync(reason);
        return _killed.Task;
    }

    /// <summary>The engine's way to end it.</summary>
    public ValueTask DisposeAsync() => new(EndAsync(SandboxEndReason.EngineStopped));

    private async Task TearDownAsync(SandboxEndReason reason)
    {
        TimeSpan? rest = null;
        try
        {
            _reaper.Dispose();
            var runs = StopRuns(reason);
            var cpu = _settings.Ends.AreHeard ? StartFailure.Cpu(Cell) : null;
            await Quietly(Cell.KillAsync().WaitAsync(TearDownLimit, _settings.Time));
            Files.Dispose();
            Terminals.Close();
            await Quietly(runs.WaitAsync(TearDownLimit, _settings.Time));
            Journal.WriteEnd(Info with { State = SandboxState.Ended });
            _killed.TrySetResult();
            await Quietly(Cell.DisposeAsync().AsTask().WaitAsync(TearDownLimit, _settings.Time));
            rest = Cpu.Since(cpu);
        }
        finally
        {
            lock (_lock)
            {
                _state = SandboxLifecycle.Next(_state, SandboxTrigger.TornDown);
            }

            Journal.WriteEnd(Info);
            _killed.TrySetResult();

            _settings.Logger.SandboxEnded(Id, reason);
            Journal.End(Info);
            _ended(this);
            _settings.Journals.Retire(Journal);
            _settings.Ends.Tell(new SandboxEnd(Info, rest));
            _tornDown.TrySetResult();
            _settings.Journals.Prepare();
        }
    }

    /// <summary>Tells the runs; a sandbox that died by itself needs none, its runs see the death and find its cause.</summary>
    private Task StopRuns(SandboxEndReason reason)
    {
        lock (_lock)
        {
            if (_runs.Count == 0)
            {
                return Task.CompletedTask;
            }

            if (reason is not (SandboxEndReason.Died or SandboxEndReason.InfrastructureFailure))
            {
                foreach (var run in _runs.Values)
                {
                    run.Stop.Request(StopReason.SandboxEnding);
                }
            }

            _lastRunEnded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _lastRunEnded.Task;
        }
    }

    private void OnCellExited(CellExit exit)
    {
        if (exit.ByBackendFailure && State == SandboxState.Ready)
        {
            _settings.Logger.SandboxLost(Id, exit.Detail ?? "no detail");
        }

        _ = EndAsync(exit.ByBackendFailure ? SandboxEndReason.InfrastructureFailure : SandboxEndReason.Died);
    }

    private static async Task Quietly(Task task) => await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <summary>A use in progress.</summary>
    internal readonly struct Use : IDisposable
    {
        private readonly IdleReaper _reaper;

        public Use(IdleReaper reaper)
        {
            _reaper = reaper;
            reaper.Enter();
        }

        public void Dispose() => _reaper.Leave();
    }
}
