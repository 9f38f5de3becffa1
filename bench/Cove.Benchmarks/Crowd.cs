using Cove.Engine;

namespace Cove.Benchmarks;

/// <summary>Many sandboxes: at the same moment, idle side by side, and coming and going.</summary>
internal static class Crowd
{
    public static async Task<BurstFinding> BurstAsync(SandboxEngine engine, string name, int count, TimeProvider time, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var created = await Task.WhenAll(Enumerable.Range(0, count).Select(async _ =>
        {
            try
            {
                var sandbox = await engine.CreateSandboxAsync(new SandboxRequest(), cancellationToken);
                return (Id: (SandboxId?)sandbox.Id, Elapsed: time.GetElapsedTime(started).TotalMilliseconds);
            }
            catch (CoveException)
            {
                return (Id: (SandboxId?)null, Elapsed: time.GetElapsedTime(started).TotalMilliseconds);
            }
        }));
        await DeleteAsync(engine, created.Select(c => c.Id).OfType<SandboxId>(), cancellationToken);
        var times = created.Where(c => c.Id is not null).Select(c => c.Elapsed).ToList();
        double P(double share) => Math.Round(Series.Percentile(times, share), 3);
        return new BurstFinding(name, count, count - times.Count, P(0.5), P(0.95), P(0.99), Math.Round(created.Max(c => c.Elapsed), 3));
    }

    public static async Task<DensityFinding> DensityAsync(SandboxEngine engine, string template, int count, TimeProvider time, CancellationToken cancellationToken)
    {
        await SettleAsync(time, cancellationToken);
        var before = Machine.MemoryKilobytes("MemAvailable");
        var heldBefore = HostCensus.ProportionalMegabytes();
        List<SandboxId> created = [];
        for (var i = 0; i < count; i++)
        {
            created.Add((await engine.CreateSandboxAsync(new SandboxRequest { Template = template }, cancellationToken)).Id);
        }

        await SettleAsync(time, cancellationToken);
        var host = (before - Machine.MemoryKilobytes("MemAvailable")) / 1024.0 / count;
        var held = (HostCensus.ProportionalMegabytes() - heldBefore) / count;
        long charged = 0;
        var known = true;
        foreach (var sandbox in created)
        {
            var usage = await engine.GetUsageAsync(sandbox, cancellationToken);
            known &= usage.MemoryBytes is not null;
            charged += usage.MemoryBytes ?? 0;
        }

        await DeleteAsync(engine, created, cancellationToken);
        return new DensityFinding(template, count, Math.Round(host, 2), held is { } h ? Math.Round(h, 2) : null, known ? Math.Round(charged / 1048576.0 / count, 2) : null);
    }

    public static async Task<LeakFinding> LeaksAsync(SandboxEngine engine, int count, TimeProvider time, CancellationToken cancellationToken)
    {
        var first = await engine.CreateSandboxAsync(new SandboxRequest(), cancellationToken);
        var groups = HostCensus.OwnGroups();
        await engine.DeleteSandboxAsync(first.Id, cancellationToken);
        await SettleAsync(time, cancellationToken);
        var before = HostCensus.Take(groups);
        for (var i = 0; i < count; i++)
        {
            var sandbox = await engine.CreateSandboxAsync(new SandboxRequest { Template = i % 2 == 0 ? "python-data" : "base" }, cancellationToken);
            await engine.DeleteSandboxAsync(sandbox.Id, cancellationToken);
        }

        await SettleAsync(time, cancellationToken);
        var after = HostCensus.Take(groups);
        return new LeakFinding(
            count, after.Processes - before.Processes, after.Mounts - before.Mounts, after.ControlGroups - before.ControlGroups, after.Descriptors - before.Descriptors);
    }

    /// <summary>Lets what was destroyed go, and the garbage collector be done.</summary>
    private static Task SettleAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return Task.Delay(TimeSpan.FromSeconds(2), time, cancellationToken);
    }

    private static async Task DeleteAsync(SandboxEngine engine, IEnumerable<SandboxId> sandboxes, CancellationToken cancellationToken)
    {
        foreach (var sandbox in sandboxes)
        {
            await engine.DeleteSandboxAsync(sandbox, cancellationToken);
        }
    }
}
