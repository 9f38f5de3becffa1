using Cove.Benchmarks.Peers;
using Cove.Engine;
using Microsoft.Extensions.Logging.Abstractions;

namespace Cove.Benchmarks;

/// <summary>The whole of <c>cove bench</c>: two engines in this process, one with a pool and one without, beside the peers found on the machine.</summary>
internal static class Bench
{
    public static async Task<BenchReport> RunAsync(BenchOptions options, TimeProvider time, Action<string> progress, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var machine = Machine.Read();
        var work = Directory.CreateTempSubdirectory("cove-bench-");
        try
        {
            // Containers with other ids read it; nothing secret is in it.
            work.UnixFileMode |= UnixFileMode.OtherRead | UnixFileMode.OtherExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute;
            var (peers, skipped) = await FindPeersAsync(work.FullName, progress, cancellationToken);
            var (rounds, privilege) = await RoundsAsync(options, peers, work.FullName, time, progress, cancellationToken);
            var bursts = await BurstsAsync(options, time, progress, cancellationToken);
            progress("density and leaks");
            await using var bare = await StartAsync(options, poolSize: 0, time, cancellationToken);
            var densities = new List<DensityFinding>();
            foreach (var template in (string[])["python-data", "base"])
            {
                densities.Add(await Crowd.DensityAsync(bare, template, options.Density, time, cancellationToken));
            }

            return new BenchReport
            {
                Machine = machine,
                Privilege = privilege,
                Measures = Measures.From(rounds),
                Bursts = bursts,
                Densities = densities,
                Leaks = await Crowd.LeaksAsync(bare, options.Leaks, time, cancellationToken),
                Skipped = skipped,
                ElapsedSeconds = Math.Round(time.GetElapsedTime(started).TotalSeconds, 1),
            };
        }
        finally
        {
            work.Delete(recursive: true);
        }
    }

    private static async Task<(IReadOnlyList<Series> Series, string Privilege)> RoundsAsync(
        BenchOptions options, IReadOnlyList<Peer> peers, string work, TimeProvider time, Action<string> progress, CancellationToken cancellationToken)
    {
        progress("starting two engines");
        await using var pooled = await StartAsync(options, poolSize: 4, time, cancellationToken);
        await using var bare = await StartAsync(options, poolSize: 0, time, cancellationToken);
        using var echo = await EchoPeer.StartAsync(work, cancellationToken);
        var rounds = new Rounds(pooled, bare, peers, echo, time);
        await rounds.RunAsync(options.Rounds, progress, cancellationToken);
        return ([.. rounds.All], bare.Tier.Privilege + (bare.Tier.Degraded.Count == 0 ? "" : ", without " + string.Join(", ", bare.Tier.Degraded)));
    }

    private static async Task<IReadOnlyList<BurstFinding>> BurstsAsync(BenchOptions options, TimeProvider time, Action<string> progress, CancellationToken cancellationToken)
    {
        var found = new List<BurstFinding>();
        foreach (var (name, size) in ((string, int?)[])[("with a pool of 64", 64), ("with the template's own pool", null)])
        {
            progress($"burst of {options.Burst} {name}");
            await using var engine = await StartAsync(options, size, time, cancellationToken);
            // Until the pool is full: about the time its cells take to make, with room to spare.
            await Task.Delay(TimeSpan.FromMilliseconds(2000 + (100 * (size ?? 4))), time, cancellationToken);
            found.Add(await Crowd.BurstAsync(engine, name, options.Burst, time, cancellationToken));
        }

        return found;
    }

    private static async Task<(IReadOnlyList<Peer> Found, IReadOnlyList<SkippedPeer> Skipped)> FindPeersAsync(string work, Action<string> progress, CancellationToken cancellationToken)
    {
        progress("looking for peers");
        var found = new List<Peer>();
        var skipped = new List<SkippedPeer>();
        foreach (var peer in (Peer[])[new BwrapPeer(work), new OciPeer("crun", work), new OciPeer("runc", work), new ContainerPeer("docker", work), new ContainerPeer("podman", work)])
        {
            if (await peer.PrepareAsync(cancellationToken) is { } reason)
            {
                skipped.Add(new SkippedPeer(peer.Name, reason));
            }
            else
            {
                found.Add(peer);
            }
        }

        return (found, skipped);
    }

    private static Task<SandboxEngine> StartAsync(BenchOptions options, int? poolSize, TimeProvider time, CancellationToken cancellationToken) =>
        LocalEngine.StartAsync(options.Engine with { Engine = options.Engine.Engine with { PoolSize = poolSize } }, time, NullLogger.Instance, cancellationToken);
}
