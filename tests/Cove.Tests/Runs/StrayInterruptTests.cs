using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Runs;

/// <summary>An interrupt is for one run: one that arrives late must not hit the next.</summary>
public sealed class StrayInterruptTests
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    [Fact]
    public async Task A_run_that_ended_is_not_over_while_an_interrupt_for_it_is_under_way()
    {
        var time = new FakeTimeProvider();
        await using var harness = await EngineHarness.StartAsync(time: time);
        var (id, cell) = await harness.CreateAsync();
        var end = new TaskCompletionSource();
        var asked = new TaskCompletionSource();
        var delivered = new TaskCompletionSource();
        cell.OnExecute = async run =>
        {
            await end.Task;
            await run.DoneAsync();
        };
        cell.BeforeSignal = () =>
        {
            asked.TrySetResult();
            return delivered.Task;
        };
        var running = harness.ResultAsync(id, "slow", TimeSpan.FromSeconds(1));
        await cell.RunsAsync();
        time.Advance(TimeSpan.FromSeconds(1));
        await Eventually.Within(asked.Task);
        end.SetResult(); // and then the interrupt arrives, which must not be in the next run
        await Eventually.Holds(() => cell.Kernels[0].Current!.Channels.Results.ReaderClosed, "the run's channels are closed");
        await Eventually.BreatheAsync();
        Assert.False(running.IsCompleted);
        Assert.True((await harness.Engine.ListKernelsAsync(id))[0].Busy);
        delivered.SetResult();
        Assert.False((await Eventually.Within(running)).StateLost);
        Assert.Equal((1, 0), (cell.Kernels[0].Interrupts, cell.Kernels[0].Kills));
    }

    [Fact]
    public async Task A_kernel_to_which_an_interrupt_may_still_be_on_its_way_is_not_run_in_again()
    {
        var time = new FakeTimeProvider();
        await using var harness = await EngineHarness.StartAsync(time: time);
        var (id, cell) = await harness.CreateAsync();
        var end = new TaskCompletionSource();
        var asked = new TaskCompletionSource();
        cell.OnExecute = async run =>
        {
            await end.Task;
            await run.DoneAsync();
        };
        cell.BeforeSignal = async () =>
        {
            if (asked.TrySetResult())
            {
                await new TaskCompletionSource().Task;
            }
        };
        var running = harness.ResultAsync(id, "slow", TimeSpan.FromSeconds(1));
        await cell.RunsAsync();
        time.Advance(TimeSpan.FromSeconds(1));
        await Eventually.Within(asked.Task);
        end.SetResult();
        Assert.True((await time.AdvanceUntil(running, Step)).StateLost);
        Assert.Equal(1, cell.Kernels[0].Kills);
        Assert.Equal(RunOutcome.Ok, (await harness.ResultAsync(id, "1")).Outcome);
        Assert.Equal(2, cell.Kernels.Count);
    }

    [Fact]
    public async Task The_run_after_an_interrupted_one_says_that_the_interrupt_may_come_late()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.OnExecute = run => run.HeedAsync();
        var run = new RunId("mine");
        var running = harness.RunAsync(id, new RunRequest { Code = "spin", Id = run });
        await cell.RunsAsync();
        await harness.Engine.InterruptRunAsync(id, run);
        await Eventually.Within(running);
        cell.OnExecute = next => next.DoneAsync();
        var stray = new List<bool>();
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal(RunOutcome.Ok, (await harness.ResultAsync(id, "1")).Outcome);
            stray.Add(cell.Kernels[0].LastFrame.TryGetProperty("stray", out var said) && said.GetBoolean());
        }

        Assert.Equal([true, false], stray);
    }
}
