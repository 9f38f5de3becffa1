using Cove.Engine.Isolation;
using Cove.Engine.Runs;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Runs;

/// <summary>Runs that were sent to a kernel which ended before it took them up.</summary>
public sealed class UnbegunRunTests
{
    [Theory]
    [InlineData(null, 9)]
    [InlineData(0, null)]
    [InlineData(70, null)]
    public async Task Another_kernel_begins_it_and_says_that_state_was_lost(int? code, int? signal)
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.DeathsBeforeRuns.Enqueue(new ProcessExit(code, signal));
        var events = await Eventually.Within(harness.RunAsync(id, new RunRequest { Code = "x" }));
        Assert.Equal(RunOutcome.Ok, ((RunCompleted)events[^1]).Result.Outcome);
        Assert.Equal("kernel_restarted", Assert.Single(events.OfType<RunNotice>()).Code);
        Assert.Equal(2, cell.Kernels.Count);
        Assert.Equal(1, Assert.Single(await harness.Engine.ListKernelsAsync(id)).Restarts);
        Assert.Empty((await harness.RunAsync(id, new RunRequest { Code = "x" })).OfType<RunNotice>());
    }

    [Fact]
    public async Task A_kernel_that_ended_while_the_run_was_being_sent_is_replaced_as_well()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.BeforeSend = kernel =>
        {
            cell.BeforeSend = null;
            kernel.Exit(null, 9);
        };
        Assert.Equal(RunOutcome.Ok, (await harness.ResultAsync(id, "x")).Outcome);
        Assert.Equal(2, cell.Kernels.Count);
    }

    [Fact]
    public async Task When_every_kernel_ends_before_it_the_run_is_not_said_to_have_begun_nor_to_be_ok()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        for (var i = 0; i < RunPipeline.MaxAttempts; i++)
        {
            cell.DeathsBeforeRuns.Enqueue(new ProcessExit(0, null));
        }

        var result = await harness.ResultAsync(id, "x");
        Assert.Equal((RunOutcome.Killed, "kernel_died", true), (result.Outcome, result.Error!.Code, result.StateLost));
        Assert.Contains("was not begun", result.Error.Message, StringComparison.Ordinal);
        Assert.Equal(RunPipeline.MaxAttempts, cell.Kernels.Count);
        Assert.Equal(RunOutcome.Ok, (await harness.ResultAsync(id, "x")).Outcome);
    }

    [Fact]
    public async Task A_run_that_was_taken_up_is_never_begun_again()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        var begun = 0;
        cell.OnExecute = run =>
        {
            begun++;
            run.Kernel.Exit(null, 9);
            return Task.CompletedTask;
        };
        Assert.Equal("kernel_died", (await harness.ResultAsync(id, "x")).Error!.Code);
        Assert.Equal((1, 1), (begun, cell.Kernels.Count));
    }

    /// <summary>A guest that looks at the frame without taking it, to have its calls made again by another kernel.</summary>
    [Fact]
    public async Task A_run_that_called_a_tool_is_never_begun_again_whatever_was_left_unread()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.OnExecute = async run =>
        {
            await run.HearAsync();
            await run.CallAsync(1, "echo");
            await run.HearAsync();
            run.CloseAll();
            run.Kernel.Exit(new ProcessExit(null, 9) { LeftUnread = true });
        };
        var started = await harness.Engine.StartRunAsync(id, ToolCalls.ToolCallTests.Request());
        RunResult? result = null;
        await foreach (var next in harness.Engine.ReadRunAsync(id, started.Id))
        {
            if (next is RunToolCall call)
            {
                await harness.Engine.AnswerToolCallAsync(id, started.Id, call.CallId, HostAnswer.Of(System.Text.Json.JsonElement.Parse("1")));
            }

            result = (next as RunCompleted)?.Result ?? result;
        }

        Assert.Equal(("kernel_died", 1), (result!.Error!.Code, result.ToolCalls));
        Assert.DoesNotContain("was not begun", result.Error.Message, StringComparison.Ordinal);
        Assert.Single(cell.Kernels);
    }

    [Fact]
    public async Task A_run_that_was_interrupted_meanwhile_is_not_begun_at_all()
    {
        var time = new FakeTimeProvider();
        await using var harness = await EngineHarness.StartAsync(time: time);
        var (id, cell) = await harness.CreateAsync();
        var begun = 0;
        cell.OnExecute = run =>
        {
            begun++;
            return run.DoneAsync();
        };
        var run = new RunId("mine");
        cell.BeforeSend = kernel =>
        {
            cell.BeforeSend = null;
            harness.Engine.InterruptRunAsync(id, run).GetAwaiter().GetResult();
            kernel.Exit(null, 9);
        };
        var events = await time.AdvanceUntil(harness.RunAsync(id, new RunRequest { Code = "x", Id = run }), TimeSpan.FromMilliseconds(50));
        Assert.Equal(RunOutcome.Interrupted, ((RunCompleted)events[^1]).Result.Outcome);
        Assert.Equal(0, begun);
    }
}
