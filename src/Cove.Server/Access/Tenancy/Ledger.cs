using System.Collections.Concurrent;
using Cove.Server.Access.Quotas;
using Cove.Server.State;
using Microsoft.Extensions.Logging;

namespace Cove.Server.Access.Tenancy;

/// <summary>
/// Who owns which living sandbox. What the engine tells of ends is written down at once, of runs alone within 50 ms; every second it looks what sandboxes used of the processor,
/// and for an end that came before this ledger knew of what ended. So state and quotas follow whatever ends a sandbox.
/// </summary>
internal sealed partial class Ledger : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    /// <summary>What runs in the background of a sandbox without runs is looked at in every fifth sweep: a thousand idle ones cost next to nothing.</summary>
    private const int MeterEvery = 5;

    private readonly ICove _engine;
    private readonly StateStore _state;
    private readonly Func<SandboxId, TimeSpan?> _cpuTime;
    private readonly ILogger _log;
    private readonly ConcurrentDictionary<SandboxId, Owned> _living = new();
    private readonly SemaphoreSlim _sweeping = new(1);
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _work;
    private readonly Task _hearing;
    private long _sweeps;

    public Ledger(ICove engine, StateStore state, Func<SandboxId, TimeSpan?> cpuTime, ILogger log, ToldEnds? ends = null)
    {
        (_engine, _state, _cpuTime, _log) = (engine, state, cpuTime, log);
        _work = Task.Run(WorkAsync);
        _hearing = ends is null ? Task.CompletedTask : Task.Run(() => HearAsync(ends));
    }

    public ICove Engine => _engine;

    public StateStore State => _state;

    /// <summary>A living sandbox of the project; null for another project's as for none.</summary>
    public Owned? Find(SandboxId id, string project) => _living.TryGetValue(id, out var owned) && owned.Project == project ? owned : null;

    public IReadOnlyList<Owned> Of(string project) => [.. _living.Values.Where(owned => owned.Project == project)];

    /// <summary>Whether a sandbox of the project is about to give back what it holds.</summary>
    public async Task<bool> AnyEndsAsync(string project)
    {
        foreach (var owned in Of(project))
        {
            try
            {
                if ((await _engine.GetSandboxAsync(owned.Id)).State is SandboxState.Ending or SandboxState.Ended)
                {
                    return true;
                }
            }
            catch (CoveException)
            {
                return true; // it ended long ago, and the next sweep says so
            }
        }

        return false;
    }

    /// <summary>Notes a new sandbox; whatever becomes of this process, it is accounted for when this returns.</summary>
    public async Task<Owned> AddAsync(SandboxInfo info, string project, string? key, ProjectQuota quota, ProjectQuota.Lease lease)
    {
        await _state.AddSandboxAsync(info, project, key);
        var owned = new Owned(info, project, key, quota, lease);
        _living[info.Id] = owned;
        return owned;
    }

    /// <summary>Notes how a run ended. Its row is queued before anything that adds to it.</summary>
    public async ValueTask NoteRunAsync(Owned owned, RunId run, Owned.Pending pending, RunResult? result)
    {
        pending.Input?.Dispose();
        await _state.Writer.AddAsync(RunTable.Put(Row(owned, run, pending, result)));
        owned.NoteRunEnd();
    }

    private static StoredRun Row(Owned owned, RunId run, Owned.Pending pending, RunResult? result) => new()
    {
        Id = run,
        Sandbox = owned.Id,
        Project = owned.Project,
        Key = pending.Key,
        Kind = pending.Kind,
        StartedAt = pending.StartedAt,
        EndedAt = result is null ? null : pending.StartedAt + result.Duration,
        Outcome = result?.Outcome,
        Duration = result?.Duration,
    };

    /// <summary>Charges what the host can't account for by its wall time: a run then costs as if it had been busy all along.</summary>
    public ValueTask ChargeWallTimeAsync(Owned owned, TimeSpan duration) =>
        !(owned.IsMetered ??= _cpuTime(owned.Id) is not null) ? owned.Quota.ChargeAsync(duration) : ValueTask.CompletedTask;

    /// <summary>Charges what a sandbox used since it was last looked at.</summary>
    public ValueTask MeterAsync(Owned owned) => _cpuTime(owned.Id) is { } used ? MeterAsync(owned, used) : ValueTask.CompletedTask;

    private async ValueTask MeterAsync(Owned owned, TimeSpan used)
    {
        var (delta, run, runUsed) = owned.Meter(used);
        if (delta > TimeSpan.Zero)
        {
            await owned.Quota.ChargeAsync(delta);
        }

        if (run is { } ended)
        {
            await _state.Writer.AddAsync(RunTable.Cpu(owned.Id, ended, runUsed));
        }
    }

    /// <summary>Looks at every living sandbox once. Who is refused for a quota is refused only after this.</summary>
    public async Task SweepAsync()
    {
        await _sweeping.WaitAsync();
        try
        {
            var all = _sweeps++ % MeterEvery == 0;
            var ended = new List<Owned>();
            foreach (var owned in _living.Values)
            {
                if (await LookAsync(owned, all))
                {
                    ended.Add(owned);
                }
            }

            await ForgetAsync(ended);
        }
        finally
        {
            _sweeping.Release();
        }
    }

    /// <summary>Notes the end of everything; called after the engine ended.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _work;
        await _hearing;
        await SweepAsync();
        foreach (var owned in _living.Values)
        {
            await EndAsync(owned, owned.Made with { State = SandboxState.Ended, EndReason = SandboxEndReason.EngineStopped });
        }

        _stop.Dispose();
        _sweeping.Dispose();
    }

    private async Task WorkAsync()
    {
        using var timer = new PeriodicTimer(Pause, _state.Time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                try
                {
                    await SweepAsync();
                }
                catch (Exception failure) when (failure is not OperationCanceledException)
                {
                    _log.SweepFailed(failure);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Told to stop.
        }
    }

    /// <summary>Whether it has ended.</summary>
    private async Task<bool> LookAsync(Owned owned, bool all)
    {
        if (all || owned.HasRun)
        {
            await MeterAsync(owned);
        }

        foreach (var run in owned.Awaited())
        {
            await LookForEndAsync(owned, run);
        }

        try
        {
            var info = await _engine.GetSandboxAsync(owned.Id);
            if (info.State != SandboxState.Ended)
            {
                return false;
            }

            await EndAsync(owned, info);
        }
        catch (CoveException gone) when (gone.Error.Code == "sandbox_not_found")
        {
            // More ended since the last look than the engine remembers: that it is gone is certain, why is not.
            await EndAsync(owned, owned.Made with { State = SandboxState.Ended, EndReason = SandboxEndReason.InfrastructureFailure });
        }

        return true;
    }

    private async Task LookForEndAsync(Owned owned, RunId run)
    {
        try
        {
            if ((await _engine.GetRunAsync(owned.Id, run)).Result is { } result && owned.Settle(run) is { } pending)
            {
                await NoteRunAsync(owned, run, pending, result);
                await ChargeWallTimeAsync(owned, result.Duration);
            }
        }
        catch (CoveException)
        {
            // Its sandbox is gone, and how it ended with it.
            if (owned.Settle(run) is { } pending)
            {
                await NoteRunAsync(owned, run, pending, null);
            }
        }
    }

    private async Task EndAsync(Owned owned, SandboxInfo info)
    {
        owned.GiveBack();
        if (owned.NoteEnd())
        {
            await _state.EndSandboxAsync(owned.Made, owned.Project, owned.Key, info);
        }
    }
}
