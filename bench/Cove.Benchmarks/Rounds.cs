using Cove.Benchmarks.Peers;
using Cove.Engine;

namespace Cove.Benchmarks;

/// <summary>
/// The interleaved part: every round takes every measure, so that whatever else the machine does hits all alike. Cove's own short measures are
/// taken several times a round; a run of a peer takes as long as all of them.
/// </summary>
internal sealed class Rounds(SandboxEngine pooled, SandboxEngine bare, IReadOnlyList<Peer> peers, EchoPeer echo, TimeProvider time)
{
    public const string Libraries = "import numpy, pandas, matplotlib.pyplot";

    // A claim's refill runs behind it; the next claim must find the machine as the first one did.
    private static readonly TimeSpan _settling = TimeSpan.FromMilliseconds(150);
    private static readonly TimeSpan _idle = TimeSpan.FromSeconds(1);
    private static readonly string[] _templates = ["python-data", "base"];

    private readonly SandboxWork _fromPool = new(pooled, time);
    private readonly SandboxWork _fresh = new(bare, time);
    private readonly Dictionary<(string, string), Series> _series = [];

    public IEnumerable<Series> All => _series.Values;

    public async Task RunAsync(int rounds, Action<string> progress, CancellationToken cancellationToken)
    {
        var sandbox = await bare.CreateSandboxAsync(new SandboxRequest { MaxLifetime = TimeSpan.FromHours(6), IdleTimeout = TimeSpan.FromHours(6) }, cancellationToken);
        const int WarmUp = 2;
        for (var round = 0; round < WarmUp + rounds; round++)
        {
            progress(round < WarmUp ? "warming up" : $"round {round - WarmUp + 1} of {rounds}");
            if (round == WarmUp)
            {
                foreach (var series in All)
                {
                    series.Clear();
                }
            }

            foreach (var template in _templates)
            {
                await CreateAsync(template, cancellationToken);
            }

            await RunCodeAsync(sandbox.Id, cancellationToken);
            await RunPeersAsync(cancellationToken);
        }

        await bare.DeleteSandboxAsync(sandbox.Id, cancellationToken);
    }

    private async Task CreateAsync(string template, CancellationToken cancellationToken)
    {
        for (var i = 0; i < 5; i++)
        {
            await Task.Delay(_settling, time, cancellationToken);
            await _fromPool.CreateAndDestroyAsync(template, Of(template, "create from the pool"), Of(template, "destroy"), Of(template, "and then until all of it is freed"), cancellationToken);
        }

        await Task.Delay(_settling, time, cancellationToken);
        for (var i = 0; i < 5; i++)
        {
            await _fresh.CreateAndDestroyAsync(template, Of(template, "create without the pool"), null, null, cancellationToken);
        }

        await Task.Delay(_idle, time, cancellationToken);
        await _fresh.CreateAndDestroyAsync(template, Of(template, "create without the pool, after 1 s of idling"), null, null, cancellationToken);
    }

    private async Task RunCodeAsync(SandboxId sandbox, CancellationToken cancellationToken)
    {
        for (var i = 0; i < 25; i++)
        {
            await _fresh.RunAsync(sandbox, "1+1", Of("run", "run 1+1"), cancellationToken);
            var started = time.GetTimestamp();
            await echo.RoundTripAsync(cancellationToken);
            Of("run", "bare echo (peer of run 1+1)").Add(time.GetElapsedTime(started));
        }

        await _fresh.CallToolAsync(sandbox, 25, Of("run", "await tools.echo(x=1), round trip"), cancellationToken);
        for (var i = 0; i < 3; i++)
        {
            await _fresh.RunAsync(sandbox, "print('x' * 1_000_000)", Of("run", "print 1 MB"), cancellationToken);
        }
    }

    private async Task RunPeersAsync(CancellationToken cancellationToken)
    {
        foreach (var peer in peers)
        {
            Of("base", $"{peer.Name} python3 -c pass").Add(await peer.RunAsync("pass", time, cancellationToken));
            Of("python-data", $"{peer.Name} python3 -c '{Libraries}'").Add(await peer.RunAsync(Libraries, time, cancellationToken));
        }
    }

    private Series Of(string group, string name)
    {
        if (!_series.TryGetValue((group, name), out var series))
        {
            _series[(group, name)] = series = new Series(group, name);
        }

        return series;
    }
}
