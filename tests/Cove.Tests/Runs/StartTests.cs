using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Runs;

/// <summary>Between a request and its process: what comes too late, what is stopped meanwhile, what never starts.</summary>
public sealed class StartTests
{
    [Fact]
    public async Task A_command_that_is_stopped_while_it_starts_is_killed_when_it_comes()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        var gate = new TaskCompletionSource();
        var starting = new TaskCompletionSource();
        cell.BeforeCommand = () =>
        {
            starting.TrySetResult();
            return gate.Task;
        };
        cell.OnCommand = _ => Task.CompletedTask;
        var run = harness.RunAsync(id, new RunRequest { Id = new RunId("late"), Argv = ["sleep"] });
        await starting.Task.WaitAsync(Eventually.Limit);
        await harness.Engine.KillRunAsync(id, new RunId("late"));
        var result = ((RunCompleted)(await Eventually.Within(run))[^1]).Result;
        Assert.Equal(RunOutcome.Killed, result.Outcome);
        gate.SetResult();
        await Eventually.Holds(() => cell.Commands is [{ Exited.IsCompleted: true, Out.ReaderClosed: true }], "the late command was killed and its channels closed");
    }

    [Fact]
    public async Task A_command_that_does_not_start_is_given_its_wall_time_and_no_more()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.BeforeCommand = () => new TaskCompletionSource().Task;
        var events = await Eventually.Within(harness.RunAsync(id, new RunRequest { Argv = ["x"], Timeout = TimeSpan.FromMilliseconds(50) }));
        var result = ((RunCompleted)events[^1]).Result;
        Assert.Equal((RunOutcome.TimedOut, 124), (result.Outcome, result.ExitCode ?? 0));
    }

    [Fact]
    public async Task Names_of_kernels_that_never_started_do_not_use_up_the_table()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.BeforeKernel = () => throw new IOException("not now");
        for (var i = 0; i < 40; i++)
        {
            await harness.RunAsync(id, new RunRequest { Code = "1", Kernel = $"k{i}" });
            await Assert.ThrowsAsync<CoveException>(() => harness.Engine.CreateKernelAsync(id, $"c{i}", Language.Bash));
        }

        cell.BeforeKernel = () => Task.CompletedTask;
        var events = await harness.RunAsync(id, new RunRequest { Code = "1", Kernel = "last" });
        Assert.Equal(RunOutcome.Ok, ((RunCompleted)events[^1]).Result.Outcome);
    }

    [Fact]
    public async Task A_kernel_that_is_deleted_twice_at_once_is_gone_and_its_second_deletion_says_so()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        var release = new TaskCompletionSource();
        var kernel = cell.Kernels[0];
        cell.OnExecute = run => release.Task;
        cell.IgnoresKill = true;
        var running = harness.ResultAsync(id, "long");
        await Eventually.Holds(() => kernel.Current is not null, "the run is in the kernel");
        var first = harness.Engine.DeleteKernelAsync(id, "python");
        var second = harness.Engine.DeleteKernelAsync(id, "python");
        cell.IgnoresKill = false;
        kernel.Exit(null, 9);
        await Eventually.Within(first);
        Assert.Equal("kernel_not_found", (await Assert.ThrowsAsync<CoveException>(() => Eventually.Within(second))).Error.Code);
        Assert.Equal(RunOutcome.Killed, (await Eventually.Within(running)).Outcome);
        Assert.Empty(await harness.Engine.ListKernelsAsync(id));
    }
}
