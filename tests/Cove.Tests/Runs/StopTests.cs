using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Runs;

/// <summary>Deadline, interrupt, kill and cancellation: the ladder, on a clock the test moves.</summary>
public sealed class StopTests
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(50);

    private static async Task Forever(GuestRun run) => await run.Kernel.Exited;

    [Fact]
    public async Task At_the_deadline_a_run_that_heeds_the_interrupt_keeps_its_state()
    {
        var time = new FakeTimeProvider();
        await using var harness = await EngineHarness.StartAsync(time: time);
        var (id, cell) = await harness.CreateAsync();
        cell.OnExecute = run => run.HeedAsync();
        var running = harness.ResultAsync(id, "spin", TimeSpan.FromSeconds(30));
        await cell.RunsAsync();
        time.Advance(TimeSpan.FromSeconds(29));
        await Eventually.BreatheAsync();
        Assert.Equal(0, cell.Kernels[0].Interrupts);
        time.Advance(TimeSpan.FromSeconds(1));
        var result = await Eventually.Within(running);
        Assert.Equal(RunOutcome.TimedOut, result.Outcome);
        Assert.Equal("wall_time_exceeded", result.Error!.Code);
        Assert.Equal(30_000, result.Error.Evidence!.LimitValue);
        Assert.Equal(124, result.ExitCode);
        Assert.False(result.StateLost);
        Assert.Equal(0, cell.Kernels[0].Kills);
    }

    [Fact]
    public async Task A_run_that_ignores_interrupts_is_interrupted_again_and_killed_after_its_grace()
    {
        var time = new FakeTimeProvider();
        await using var harness = await EngineHarness.StartAsync(time: time);
        var (id, cell) = await harness.CreateAsync();
        cell.OnExecute = Forever;
        var running = harness.ResultAsync(id, "spin", TimeSpan.FromSeconds(30));
        await cell.RunsAsync();
        time.Advance(TimeSpan.FromSeconds(30));
        await Eventually.Holds(() => cell.Kernels[0].Interrupts == 1, "the first interrupt");
        var result = await time.AdvanceUntil(running, TimeSpan.FromMilliseconds(10));
        Assert.Equal(RunOutcome.TimedOut, result.Outcome);
        Assert.True(result.StateLost);
        Assert.InRange(cell.Kernels[0].Interrupts, 2, 4);
        Assert.Equal(1, cell.Kernels[0].Kills);
        Assert.True(result.Duration >= TimeSpan.FromSeconds(31), "The grace was not given.");
        cell.OnExecute = run => run.DoneAsync();
        Assert.Equal(RunOutcome.Ok, (await harness.ResultAsync(id, "1")).Outcome);
        Assert.Equal(2, cell.Kernels.Count);
    }

    [Fact]
    public async Task The_grace_begins_when_the_interrupt_was_delivered()
    {
        var time = new FakeTimeProvider();
        await using var harness = await EngineHarness.StartAsync(time: time);
        var (id, cell) = await harness.CreateAsync();
        cell.OnExecute = run => run.HeedAsync();
        var asked = new TaskCompletionSource();
        var delivered = new TaskCompletionSource();
        cell.BeforeSignal = () =>
        {
            asked.TrySetResult();
            return delivered.Task;
        };
        var running = harness.ResultAsync(id, "spin", TimeSpan.FromSeconds(1));
        await cell.RunsAsync();
        time.Advance(TimeSpan.FromSeconds(1));
        await Eventually.Within(asked.Task);
        for (var passed = TimeSpan.Zero; passed < TimeSpan.FromSeconds(3); passed += Step)
        {
            time.Advance(Step);
            await Eventually.BreatheAsync();
        }

        delivered.SetResult();
        var result = await Eventually.Within(running);
        Assert.Equal(RunOutcome.TimedOut, result.Outcome);
        Assert.False(result.StateLost);
        Assert.Equal(0, cell.Kernels[0].Kills);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task When_even_killing_does_not_help_the_run_ends_and_the_sandbox_is_taken_down(bool signalsHang)
    {
        var time = new FakeTimeProvider();
        await using var harness = await EngineHarness.StartAsync(time: time);
        var (id, cell) = await harness.CreateAsync();
        cell.OnExecute = _ => Task.CompletedTask;
        cell.IgnoresKill = true;
        cell.SignalsHang = signalsHang;
        var result = await time.AdvanceUntil(harness.ResultAsync(id, "stuck", TimeSpan.FromSeconds(1)), Step);
        Assert.Equal(RunOutcome.InfrastructureFailure, result.Outcome);
        Assert.Equal("kill_failed", result.Error!.Code);
        await Eventually.Holds(() => cell.Disposed, "the cell was disposed");
        await Eventually.Holds(() => harness.Engine.GetSandboxAsync(id).Result.EndReason == SandboxEndReason.InfrastructureFailure, "the sandbox ended");
    }

    [Fact]
    public async Task The_callers_interrupt_ends_the_run_and_keeps_the_state()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.OnExecute = run => run.HeedAsync();
        var run = new RunId("mine");
        var running = harness.RunAsync(id, new RunRequest { Code = "spin", Id = run });
        await cell.RunsAsync();
        var again = await harness.RunAsync(id, new RunRequest { Code = "1", Id = run, Kernel = "other" });
        Assert.Equal("run_id_in_use", ((RunCompleted)again[^1]).Result.Error!.Code);
        await harness.Engine.InterruptRunAsync(id, run);
        var result = ((RunCompleted)(await Eventually.Within(running))[^1]).Result;
        Assert.Equal(RunOutcome.Interrupted, result.Outcome);
        Assert.False(result.StateLost);
        Assert.Equal(130, result.ExitCode);
        await harness.Engine.InterruptRunAsync(id, run); // no longer in progress: no error
    }

    [Fact]
    public async Task An_interrupt_that_is_ignored_becomes_a_kill()
    {
        var time = new FakeTimeProvider();
        await using var harness = await EngineHarness.StartAsync(time: time);
        var (id, cell) = await harness.CreateAsync();
        cell.OnExecute = Forever;
        using var cancel = new CancellationTokenSource();
        var running = harness.ResultAsync(id, "spin", cancellationToken: cancel.Token);
        await cell.RunsAsync();
        await cancel.CancelAsync();
        var result = await time.AdvanceUntil(running, Step);
        Assert.Equal(RunOutcome.Killed, result.Outcome);
        Assert.True(result.StateLost);
        Assert.Equal(137, result.ExitCode);
    }

    [Fact]
    public async Task The_callers_kill_gives_no_grace()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.OnExecute = Forever;
        var run = new RunId("mine");
        var running = harness.RunAsync(id, new RunRequest { Code = "spin", Id = run });
        await cell.RunsAsync();
        await harness.Engine.KillRunAsync(id, run);
        var result = ((RunCompleted)(await Eventually.Within(running))[^1]).Result;
        Assert.Equal(RunOutcome.Killed, result.Outcome);
        Assert.Equal(ErrorCategory.Caller, result.Error!.Category);
        Assert.Equal(0, cell.Kernels[0].Interrupts);
    }

    [Fact]
    public async Task Who_leaves_early_has_the_run_ended_and_the_kernel_free()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.OnExecute = run => run.HeedAsync();
        await foreach (var first in harness.Engine.RunAsync(id, new RunRequest { Code = "spin" }))
        {
            Assert.IsType<RunStarted>(first);
            break;
        }

        Assert.Equal(1, cell.Kernels[0].Interrupts);
        Assert.False((await harness.Engine.ListKernelsAsync(id))[0].Busy);
    }

    [Fact]
    public async Task Cancelling_while_the_kernel_starts_ends_the_run()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.Hello = null;
        using var cancel = new CancellationTokenSource();
        var running = harness.RunAsync(id, new RunRequest { Code = "1", Language = Language.Bash }, cancel.Token);
        await Eventually.Holds(() => cell.Kernels.Count == 2, "the bash kernel is starting");
        await cancel.CancelAsync();
        Assert.Equal(RunOutcome.Interrupted, ((RunCompleted)(await Eventually.Within(running))[^1]).Result.Outcome);
        Assert.Equal(1, cell.Kernel.Kills);
    }

    [Fact]
    public async Task Deleting_a_sandbox_ends_its_runs()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.OnExecute = Forever;
        var running = harness.ResultAsync(id, "spin");
        await cell.RunsAsync();
        await Eventually.Within(harness.Engine.DeleteSandboxAsync(id));
        var result = await Eventually.Within(running);
        Assert.Equal(RunOutcome.Killed, result.Outcome);
        Assert.Equal("sandbox_ended", result.Error!.Code);
        Assert.Equal(SandboxEndReason.Deleted, (await harness.Engine.GetSandboxAsync(id)).EndReason);
    }

    [Fact]
    public async Task Restarting_a_busy_kernel_kills_its_run()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.OnExecute = Forever;
        var running = harness.ResultAsync(id, "spin");
        await cell.RunsAsync();
        var info = await Eventually.Within(harness.Engine.RestartKernelAsync(id, "python"));
        Assert.Equal(1, info.Restarts);
        Assert.Equal(RunOutcome.Killed, (await Eventually.Within(running)).Outcome);
        await harness.Engine.DeleteKernelAsync(id, "python");
        Assert.Empty(await harness.Engine.ListKernelsAsync(id));
        var missing = await Assert.ThrowsAsync<CoveException>(() => harness.Engine.DeleteKernelAsync(id, "python"));
        Assert.Equal(("kernel_not_found", "The sandbox has no kernel 'python'."), (missing.Error.Code, missing.Error.Message));
    }
}
