using Cove.Server.State;

namespace Cove.Server.Access.Tenancy;

internal sealed partial class Ledger
{
    /// <summary>Writes down what the engine tells. Whatever goes wrong with it is found by the next look.</summary>
    private async Task HearAsync(ToldEnds ends)
    {
        var ended = new List<Owned>();
        try
        {
            while (true)
            {
                await ends.WaitAsync(_stop.Token);
                try
                {
                    while (ends.TryTake(out var told))
                    {
                        await HearAsync(told, ended);
                    }

                    _ = ForgetLaterAsync([.. ended]);
                    ended.Clear();
                }
                catch (Exception failure) when (failure is not OperationCanceledException)
                {
                    _log.SweepFailed(failure);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Told to stop; what is left is looked at one last time.
        }
    }

    private async Task HearAsync(ToldEnd told, List<Owned> ended)
    {
        if (told.Run is { Result: { } result } run)
        {
            if (!_living.TryGetValue(run.Sandbox, out var owner))
            {
                await NoteLostAsync(run, result);
                return;
            }

            owner.AddTold(told.CpuTime);
            if (owner.Settle(run.Id) is { } pending)
            {
                await NoteRunAsync(owner, run.Id, pending, result);
                await ChargeWallTimeAsync(owner, result.Duration);
            }
        }
        else if (told.Sandbox is { } info && _living.TryGetValue(info.Id, out var owned))
        {
            if (owned.AddTold(told.CpuTime) is { } used)
            {
                await MeterAsync(owned, used); // what came since the last look, after which nobody can ask any more
            }

            await EndAsync(owned, info);
            ended.Add(owned);
        }
    }

    /// <summary>Of an engine before this one; one of this one's was noted by whoever listened to it, or its sandbox was never handed out.</summary>
    private ValueTask NoteLostAsync(RunInfo run, RunResult result) =>
        result.Error?.Code == "engine_lost" ? _state.Writer.AddAsync(RunTable.Lost(run, result.Duration)) : ValueTask.CompletedTask;

    /// <summary>Only when the database knows the end may this table forget a sandbox: nobody sees it alive again in between.</summary>
    private async Task ForgetAsync(List<Owned> ended)
    {
        if (ended.Count > 0)
        {
            await _state.Writer.FlushAsync();
            foreach (var owned in ended)
            {
                await LeaveAsync(owned);
            }
        }
    }

    /// <summary>The same in the database's own time: meanwhile the engine still answers for them.</summary>
    private async Task ForgetLaterAsync(Owned[] ended)
    {
        if (ended.Length > 0)
        {
            try
            {
                await _state.Writer.WrittenAsync();
                foreach (var owned in ended)
                {
                    await LeaveAsync(owned);
                }
            }
            catch (Exception failure)
            {
                _log.SweepFailed(failure);
            }
        }
    }

    /// <summary>Notes a run that nobody listens to any more; if its sandbox was forgotten meanwhile, no look would ever find its end.</summary>
    public async ValueTask AwaitAsync(Owned owned, RunId run, Owned.Pending pending)
    {
        owned.Await(run, pending);
        if (!_living.ContainsKey(owned.Id))
        {
            await LookLastAsync(owned, run);
        }
    }

    /// <summary>Forgets a sandbox, and then finds the ends of runs that were left to it since the last look.</summary>
    private async ValueTask LeaveAsync(Owned owned)
    {
        _living.TryRemove(owned.Id, out _);
        foreach (var run in owned.Awaited())
        {
            await LookLastAsync(owned, run);
        }
    }

    private async ValueTask LookLastAsync(Owned owned, RunId run)
    {
        await LookForEndAsync(owned, run);
        if (owned.Settle(run) is { } pending)
        {
            await NoteRunAsync(owned, run, pending, null); // its sandbox could not wait for it
        }
    }
}
