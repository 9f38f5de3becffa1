using Cove.Server.Access.Audit;
using Cove.Server.Access.Quotas;
using Cove.Server.Bounds;
using Cove.Server.State;

namespace Cove.Server.Access.Tenancy;

/// <summary>
/// The engine as one project sees it: only its own sandboxes exist. Each member first asks whose the sandbox is; another project's is answered
/// exactly as one that never was, after the same look into the database. Made for each request.
/// </summary>
internal sealed partial class ProjectCove(Ledger ledger, ProjectQuota quota, string project, string? key, AuditNote note, HeldShare? held = null) : ICove
{
    /// <summary>How long a creation waits for the room of a sandbox that is ending.</summary>
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan EndPause = TimeSpan.FromMilliseconds(5);

    private readonly ICove _engine = ledger.Engine;
    private readonly StateStore _state = ledger.State;

    public async Task<SandboxInfo> CreateSandboxAsync(SandboxRequest request, CancellationToken cancellationToken = default)
    {
        await AdmitWorkAsync();
        var lease = await LeaseAsync(await MemoryOfAsync(request, cancellationToken));
        SandboxInfo? made = null;
        try
        {
            made = await _engine.CreateSandboxAsync(request with { Owner = project }, cancellationToken);
            note.Sandbox = made.Id.Value;
            lease.Correct(made.Limits.MemoryBytes);
            await ledger.AddAsync(made, project, key, quota, lease);
            return made;
        }
        catch
        {
            // Nobody would own it: what could not be written down is not kept either.
            if (made is not null)
            {
                await _engine.DeleteSandboxAsync(made.Id, CancellationToken.None);
            }

            lease.Dispose();
            throw;
        }
    }

    public async Task<SandboxInfo> GetSandboxAsync(SandboxId sandbox, CancellationToken cancellationToken = default)
    {
        note.Sandbox = sandbox.Value;
        if (ledger.Find(sandbox, project) is not null)
        {
            try
            {
                return await _engine.GetSandboxAsync(sandbox, cancellationToken);
            }
            catch (CoveException gone) when (gone.Error.Code == "sandbox_not_found")
            {
                // The engine remembers the last thousand that ended; the database all of them.
                await ledger.SweepAsync();
            }
        }

        return await StoredAsync(sandbox);
    }

    public async Task<SandboxPage> ListSandboxesAsync(SandboxFilter? filter = null, CancellationToken cancellationToken = default) =>
        await new Listing(ledger, project, filter ?? new SandboxFilter()).PageAsync(cancellationToken);

    public async Task<SandboxInfo> ExtendSandboxAsync(SandboxId sandbox, SandboxExtension extension, CancellationToken cancellationToken = default)
    {
        await OpenAsync(sandbox);
        var info = await _engine.ExtendSandboxAsync(sandbox, extension, cancellationToken);
        await _state.Writer.AddAsync(SandboxTable.Changed(info));
        return info;
    }

    public async IAsyncEnumerable<SandboxEvent> ReadSandboxEventsAsync(
        SandboxId sandbox, long after = 0, bool follow = false, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await KnowAsync(sandbox);
        await foreach (var next in _engine.ReadSandboxEventsAsync(sandbox, after, follow, cancellationToken))
        {
            yield return next;
        }
    }

    public async Task DeleteSandboxAsync(SandboxId sandbox, CancellationToken cancellationToken = default)
    {
        if (await KnowAsync(sandbox) is not { } owned)
        {
            return; // it ended before
        }

        await ledger.MeterAsync(owned);
        await _engine.DeleteSandboxAsync(sandbox, cancellationToken); // its room is given back when the engine says that it ended
    }

    public async Task<SandboxUsage> GetUsageAsync(SandboxId sandbox, CancellationToken cancellationToken = default)
    {
        await OpenAsync(sandbox);
        return await _engine.GetUsageAsync(sandbox, cancellationToken);
    }

    public Task<IReadOnlyList<TemplateInfo>> ListTemplatesAsync(CancellationToken cancellationToken = default) => _engine.ListTemplatesAsync(cancellationToken);

    /// <summary>The engine is not this project's to end.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>A living sandbox of this project. The way of every call into a sandbox.</summary>
    private async ValueTask<Owned> OpenAsync(SandboxId sandbox) =>
        await KnowAsync(sandbox) ?? throw Absence.Ended(sandbox, (await StoredAsync(sandbox)).EndReason);

    /// <summary>A sandbox of this project; null when it has ended and is only written down.</summary>
    private async ValueTask<Owned?> KnowAsync(SandboxId sandbox)
    {
        note.Sandbox = sandbox.Value;
        if (ledger.Find(sandbox, project) is { } owned)
        {
            return owned;
        }

        await StoredAsync(sandbox);
        return null;
    }

    private async Task<SandboxInfo> StoredAsync(SandboxId sandbox) =>
        (SandboxId.TryParse(sandbox.Value, out _) ? await _state.Sandboxes.FindAsync(sandbox, project) : null) ?? throw Absence.NotFound(sandbox);

    /// <summary>Refuses work while the project's processor time is used up.</summary>
    private async ValueTask AdmitWorkAsync()
    {
        await quota.RefreshAsync();
        if (quota.CpuRefusal() is { } refusal)
        {
            throw new CoveException(refusal);
        }
    }

    private async Task<ProjectQuota.Lease> LeaseAsync(long memory)
    {
        if (quota.TryLease(memory, out _) is { } lease)
        {
            return lease;
        }

        // What ended since the last look still counts, and what is ending does so for a moment: nobody is refused for that.
        var started = _state.Time.GetTimestamp();
        while (true)
        {
            await ledger.SweepAsync();
            if (quota.TryLease(memory, out var refusal) is { } freed)
            {
                return freed;
            }

            if (_state.Time.GetElapsedTime(started) > EndPatience || !await ledger.AnyEndsAsync(project))
            {
                throw new CoveException(refusal!);
            }

            await Task.Delay(EndPause, _state.Time);
        }
    }

    /// <summary>The memory it will have; of a template that does not exist none, since the engine refuses it.</summary>
    private async Task<long> MemoryOfAsync(SandboxRequest request, CancellationToken cancellationToken) =>
        Math.Clamp(
            request.Limits?.MemoryBytes ?? (await _engine.ListTemplatesAsync(cancellationToken)).FirstOrDefault(t => t.Name == request.Template)?.Limits.MemoryBytes ?? 0,
            0, 1L << 50);
}
