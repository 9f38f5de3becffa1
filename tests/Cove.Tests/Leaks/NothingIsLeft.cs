using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Leaks;

public sealed class NothingIsLeft
{
    /// <summary>1,000 as promised with COVE_LONG=1; fewer otherwise, which finds the same leaks.</summary>
    private static readonly int _count = Environment.GetEnvironmentVariable("COVE_LONG") == "1" ? 1000 : 100;

    [Fact]
    public async Task After_many_sandboxes_the_engine_takes_what_it_took_before()
    {
        await using var engine = await HostedEngine.StartAsync();
        await engine.DoAsync("churn 20"); // until everything that is made once is made
        var before = await SettledAsync(engine);
        await engine.DoAsync($"churn {_count}");
        await engine.DoAsync("churn 20"); // a parked cell may still come from a zygote that was replaced, and keeps it
        var after = await SettledAsync(engine);
        Assert.True(after.FitsIn(before), $"before: {before}\nafter:  {after}");
    }

    [Fact]
    public async Task After_the_engine_stopped_nothing_is_there()
    {
        await using var engine = await HostedEngine.StartAsync();
        await engine.DoAsync("hold");
        var tree = engine.Tree;
        await engine.DoAsync("stop");
        AssertGone(tree, engine);
    }

    [Fact]
    public async Task After_the_engines_process_was_killed_nothing_is_there()
    {
        await using var engine = await HostedEngine.StartAsync();
        await engine.DoAsync("hold");
        var tree = engine.Tree;
        Assert.True(tree.Stems.Count >= 3 && tree.Kernels.Count >= 3);
        engine.Kill();
        await Hang.UntilAsync(() => !tree.All.Any(HostProcesses.IsAlive), "everything below the killed engine is dead");
        AssertGone(tree, engine);
    }

    [Fact]
    public async Task What_a_killed_launcher_and_engine_left_is_removed_by_the_next_engine()
    {
        await using var engine = await HostedEngine.StartAsync();
        await engine.DoAsync("hold");
        var tree = engine.Tree;
        HostProcesses.Kill(tree.Inner); // so that it cannot clean up itself
        engine.Kill();
        await Hang.UntilAsync(() => !tree.All.Any(HostProcesses.IsAlive), "everything below the killed engine is dead");
        await using var next = await HostedEngine.StartAsync();
        Assert.Empty(LauncherTree.Groups(tree.EngineId));
        Assert.NotEqual(tree.EngineId, next.Tree.EngineId);
    }

    [Fact]
    public async Task What_was_left_below_another_group_is_removed_too()
    {
        Assert.SkipUnless(LiveEngine.Privilege == "root", "An ordinary user's leases are in the state directory, of which each engine here has its own.");
        var own = File.ReadLines("/proc/self/cgroup").Select(line => line.Split(':')).FirstOrDefault(parts => parts[1] == "pids")?[2];
        Assert.SkipWhen(own is null, "Only with control groups v1 does root make groups below the group it was started in.");
        var group = Directory.CreateDirectory($"/sys/fs/cgroup/pids{own!.TrimEnd('/')}/cove-test-{Guid.NewGuid():N}").FullName;
        await using (var engine = await HostedEngine.StartAsync(group: group))
        {
            var tree = engine.Tree;
            Assert.Contains(LauncherTree.Groups(tree.EngineId), path => path.StartsWith(group, StringComparison.Ordinal));
            HostProcesses.Kill(tree.Inner); // so that it cannot clean up itself
            engine.Kill();
            await Hang.UntilAsync(() => !tree.All.Any(HostProcesses.IsAlive), "everything below the killed engine is dead");
            await using var next = await HostedEngine.StartAsync();
            Assert.Empty(LauncherTree.Groups(tree.EngineId));
        }

        Directory.Delete(group);
    }

    private static void AssertGone(LauncherTree tree, HostedEngine engine)
    {
        Assert.DoesNotContain(tree.All, HostProcesses.IsAlive);
        Assert.False(engine.HasLauncher);
        Assert.Empty(LauncherTree.Groups(tree.EngineId));
        Assert.Equal(0, engine.TemporaryFiles);
    }

    /// <summary>A footprint that stays the same: the pool is full again and what was ended is gone.</summary>
    private static async Task<Footprint> SettledAsync(HostedEngine engine)
    {
        Footprint? last = null;
        await Hang.UntilAsync(
            () =>
            {
                var before = last;
                last = TryMeasure(engine);
                return last is not null && last == before && engine.Tree is { Stems.Count: 2, Kernels.Count: 2 };
            },
            "the engine has settled");
        return last!;
    }

    private static Footprint? TryMeasure(HostedEngine engine)
    {
        try
        {
            return engine.Measure();
        }
        catch (Exception changing) when (changing is IOException or InvalidOperationException)
        {
            return null; // something ended while it was counted
        }
    }
}
