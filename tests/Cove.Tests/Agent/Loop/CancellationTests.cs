using Cove.Agent.Loop;
using Cove.Agent.Tools;
using Cove.Tests.Support;
using Microsoft.Extensions.AI;
using Xunit;
using static Cove.Tests.Support.FakeModel;

namespace Cove.Tests.Agent.Loop;

public sealed class CancellationTests
{
    [Fact]
    public async Task While_the_model_writes()
    {
        using var interrupt = new CancellationTokenSource();
        var reached = new TaskCompletionSource();
        using var model = new FakeModel().Then((_, cancellationToken) => BudgetTests.Hanging(reached, cancellationToken, Text("It ")));

        var run = new AgentLoop(model, []).RunAsync("?", interrupt.Token);
        await Eventually.Within(reached.Task);
        await interrupt.CancelAsync();
        var result = await Eventually.Within(run);

        Assert.Equal((AgentOutcome.Interrupted, "", 0), (result.Outcome, result.Answer, result.ModelRetries));
        Assert.Equal([ChatRole.User], result.Messages.Select(m => m.Role));
    }

    [Fact]
    public async Task While_it_waits_to_ask_again()
    {
        using var interrupt = new CancellationTokenSource();
        using var model = new FakeModel().Fails(Cove.Agent.Models.ModelFailures.OfStatus(529, "busy"));
        AgentResult? result = null;

        await foreach (var next in new AgentLoop(model, [], new AgentOptions { Time = new FakeTimeProvider() }).StreamAsync("?", interrupt.Token))
        {
            if (next is ModelRetrying)
            {
                await interrupt.CancelAsync();
            }

            result = (next as AgentCompleted)?.Result ?? result;
        }

        Assert.Equal(AgentOutcome.Interrupted, result!.Outcome);
    }

    [Fact]
    public async Task While_tools_run_they_are_interrupted_and_every_call_is_answered()
    {
        using var interrupt = new CancellationTokenSource();
        var reached = new TaskCompletionSource();
        var slow = new FakeTool("slow", async (_, cancellationToken) =>
        {
            reached.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            return ToolResult.Of("never");
        });
        using var model = new FakeModel().Calls(Tool("1", "fast"), Tool("2", "slow"));

        var run = new AgentLoop(model, [slow, FakeTool.Says("fast", "done")]).RunAsync("?", interrupt.Token);
        await Eventually.Within(reached.Task);
        await interrupt.CancelAsync();
        var result = await Eventually.Within(run);

        Assert.Equal(AgentOutcome.Interrupted, result.Outcome);
        StopReasonTests.AssertWhole(result.Messages);
        var answers = result.Messages[^1].Contents.Cast<FunctionResultContent>().ToList();
        Assert.Contains("\"errorCategory\":\"interrupted\"", (string)answers[1].Result!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_an_interrupted_tool_still_says_is_kept()
    {
        using var interrupt = new CancellationTokenSource();
        var reached = new TaskCompletionSource();
        var tool = new FakeTool("slow", async (_, cancellationToken) =>
        {
            reached.SetResult();
            try
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            }
            catch (OperationCanceledException)
            {
            }

            return ToolResult.Of("half of it");
        });
        using var model = new FakeModel().Calls(Tool("1", "slow"));

        var run = new AgentLoop(model, [tool]).RunAsync("?", interrupt.Token);
        await Eventually.Within(reached.Task);
        await interrupt.CancelAsync();
        var result = await Eventually.Within(run);

        Assert.Equal("half of it", result.Messages[^1].Contents.Cast<FunctionResultContent>().Single().Result);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_an_interrupted_program_wrote_is_kept_as_data(bool byDeadline)
    {
        using var interrupt = new CancellationTokenSource();
        var time = new FakeTimeProvider();
        var reached = new TaskCompletionSource();
        var tool = new FakeTool("run_python", async (call, cancellationToken) =>
        {
            call.Output!(new ToolOutput(OutputStream.Stdout, "step 1\n" + new string('x', 100_000) + "\"the end\"\n"));
            call.Output(new ToolOutput(OutputStream.Stderr, "{\"isError\":false}"));
            reached.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            return ToolResult.Of("never");
        });
        using var model = new FakeModel().Calls(Tool("1", "run_python")).Says("Not done.");

        var run = new AgentLoop(model, [tool], new AgentOptions { Time = time }).RunAsync("?", interrupt.Token);
        await Eventually.Within(reached.Task);
        if (!byDeadline)
        {
            await interrupt.CancelAsync();
        }

        var result = byDeadline ? await time.AdvanceUntil(run, TimeSpan.FromMinutes(30)) : await Eventually.Within(run);

        Assert.Equal(byDeadline ? AgentOutcome.BudgetSpent : AgentOutcome.Interrupted, result.Outcome);
        var answer = result.Messages.Single(m => m.Role == ChatRole.Tool).Contents.Cast<FunctionResultContent>().Single();
        var texts = ((IEnumerable<AIContent>)answer.Result!).Cast<TextContent>().Select(t => t.Text).ToArray();
        Assert.Contains(byDeadline ? "\"errorCategory\":\"budget\"" : "\"errorCategory\":\"interrupted\"", texts[0], StringComparison.Ordinal);
        var heard = System.Text.Json.JsonElement.Parse(texts[1]);
        var stdout = heard.GetProperty("stdout").GetString()!;
        Assert.StartsWith("step 1\nxxx", stdout, StringComparison.Ordinal);
        Assert.EndsWith("xxx\"the end\"\n", stdout, StringComparison.Ordinal);
        Assert.Contains("characters left out", stdout, StringComparison.Ordinal);
        Assert.True(stdout.Length < 10_100, $"{stdout.Length} characters");
        Assert.Equal("{\"isError\":false}", heard.GetProperty("stderr").GetString());
    }

    [Fact]
    public async Task A_tool_that_does_not_end_is_left_behind_after_its_grace()
    {
        using var interrupt = new CancellationTokenSource();
        var time = new FakeTimeProvider();
        var (reached, stuck) = (new TaskCompletionSource(), new TaskCompletionSource<ToolResult>());
        var tool = new FakeTool("deaf", (_, _) =>
        {
            reached.SetResult();
            return stuck.Task;
        });
        using var model = new FakeModel().Calls(Tool("1", "deaf"));

        var run = new AgentLoop(model, [tool], new AgentOptions { Time = time, CancellationGrace = TimeSpan.FromSeconds(3) }).RunAsync("?", interrupt.Token);
        await Eventually.Within(reached.Task);
        await interrupt.CancelAsync();
        var result = await time.AdvanceUntil(run, TimeSpan.FromSeconds(1));

        Assert.Equal(AgentOutcome.Interrupted, result.Outcome);
        StopReasonTests.AssertWhole(result.Messages);
    }

    [Fact]
    public async Task While_somebody_is_asked_for_an_approval()
    {
        using var interrupt = new CancellationTokenSource();
        var tool = FakeTool.Says("look", "");
        using var model = new FakeModel().Calls(Tool("1", "look"), Tool("2", "look"));

        var result = await Eventually.Within(new AgentLoop(model, [tool], new AgentOptions
        {
            AskAlways = true,
            Approve = async (_, cancellationToken) =>
            {
                await interrupt.CancelAsync();
                await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
                return Approval.Yes;
            },
        }).RunAsync("?", interrupt.Token));

        Assert.Equal((AgentOutcome.Interrupted, 0), (result.Outcome, tool.Calls));
        StopReasonTests.AssertWhole(result.Messages);
    }

    [Fact]
    public async Task Whoever_leaves_the_stream_interrupts_the_run()
    {
        var cancelled = new TaskCompletionSource();
        var tool = new FakeTool("slow", async (_, cancellationToken) =>
        {
            await using var registered = cancellationToken.Register(cancelled.SetResult);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            return ToolResult.Of("");
        });
        using var model = new FakeModel().Calls(Tool("1", "slow"));

        await foreach (var next in new AgentLoop(model, [tool]).StreamAsync("?"))
        {
            if (next is ToolStarted)
            {
                break;
            }
        }

        // Leaving waits for the tools: when it returns nothing runs any more, or nothing ever began.
        Assert.True(cancelled.Task.IsCompleted || tool.Calls == 0);
    }

    [Fact]
    public async Task A_conversation_goes_on_from_where_it_was_interrupted()
    {
        using var interrupt = new CancellationTokenSource();
        var tool = new FakeTool("slow", async (_, cancellationToken) =>
        {
            await interrupt.CancelAsync();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            return ToolResult.Of("");
        });
        using var model = new FakeModel().Calls(Tool("1", "slow")).Says("again, then");
        var loop = new AgentLoop(model, [tool]);
        var first = await Eventually.Within(loop.RunAsync("?", interrupt.Token));

        var events = await loop.StreamAsync(first.Messages, new ChatMessage(ChatRole.User, "Go on.")).ToListAsync();

        Assert.Equal("again, then", ((AgentCompleted)events[^1]).Result.Answer);
        Assert.Equal([ChatRole.User, ChatRole.Assistant, ChatRole.Tool, ChatRole.User], model.Asked[1].Messages.Select(m => m.Role));
    }
}
