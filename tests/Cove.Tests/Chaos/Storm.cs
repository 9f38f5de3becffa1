using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Chaos;

/// <summary>Kernels, stems, zygotes and the launcher die in no order while callers work.</summary>
public sealed class Storm
{
    private const int Blows = 12;
    private int _well;

    [Fact]
    public async Task Every_run_has_one_honest_end_and_the_engine_outlives_it()
    {
        await using var own = await OwnEngine.StartAsync(poolSize: 2);
        using var over = new CancellationTokenSource();
        var callers = Enumerable.Range(0, 3).Select(_ => CallAsync(own, over.Token)).ToArray();
        var order = new Random(7);
        for (var blow = 0; blow < Blows; blow++)
        {
            var victims = await VictimsAsync(own, blow % 4);
            HostProcesses.Kill(victims[order.Next(victims.Count)]);
            await Task.WhenAny(Task.WhenAll(callers), Task.Delay(TimeSpan.FromMilliseconds(order.Next(50, 300)), TimeProvider.System)); // the pace of the storm, not a wait for anything
        }

        // On a slow host no run may be quick enough for the storm itself; then it is one of those behind it.
        await Hang.UntilAsync(() => Volatile.Read(ref _well) > 0 || callers.Any(c => c.IsCompleted), "a run ended well");
        await over.CancelAsync();
        await Hang.WatchAsync(Task.WhenAll(callers));
        await Hang.UntilAsync(
            async () =>
            {
                try
                {
                    return (await (await own.CreateAsync()).PythonAsync("1 + 1")).Value == "2";
                }
                catch (CoveException exception) when (exception.Error.Retryable)
                {
                    return false;
                }
            },
            "the engine works again");
    }

    /// <summary>Creates, runs, deletes; counts the runs that went well.</summary>
    private async Task CallAsync(OwnEngine own, CancellationToken over)
    {
        while (!over.IsCancellationRequested)
        {
            try
            {
                await using var sandbox = await own.CreateAsync();
                var runs = await Task.WhenAll(
                    sandbox.PythonAsync("import time; time.sleep(0.02); 1 + 1"), sandbox.ShellAsync("sleep 0.02; echo 2"));
                foreach (var run in runs)
                {
                    Assert.True(
                        run.Outcome is RunOutcome.Ok or RunOutcome.Killed or RunOutcome.InfrastructureFailure || run.Result.Error?.Code == "sandbox_ended",
                        run.ToString());
                    if (run.Outcome == RunOutcome.Ok)
                    {
                        Interlocked.Increment(ref _well);
                    }
                }
            }
            catch (CoveException exception)
            {
                Assert.True(exception.Error.Retryable, exception.ToString());
            }
        }
    }

    private static async Task<IReadOnlyList<int>> VictimsAsync(OwnEngine own, int kind)
    {
        IReadOnlyList<int> victims = [];
        await Hang.UntilAsync(
            () =>
            {
                try
                {
                    var tree = own.Tree;
                    victims = kind switch { 0 => tree.Kernels, 1 => tree.Stems, 2 => tree.Zygotes, _ => [tree.Inner] };
                }
                catch (Exception changing) when (changing is InvalidOperationException or Xunit.Sdk.TrueException)
                {
                    victims = []; // the tree changed while it was read, or a new launcher is on its way
                }

                return victims.Count > 0;
            },
            "there is something to kill");
        return victims;
    }
}
