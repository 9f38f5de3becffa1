using Cove.Agent.Loop;
using Cove.Agent.Models;
using Cove.Tests.Support;
using Microsoft.Extensions.AI;
using Xunit;
using static Cove.Tests.Support.FakeModel;

namespace Cove.Tests.Agent.Loop;

public sealed class ModelFailureTests
{
    [Theory]
    [InlineData(500)]
    [InlineData(503)]
    [InlineData(504)]
    [InlineData(529)]
    [InlineData(408)]
    public async Task What_passes_by_itself_is_tried_again(int status)
    {
        using var model = new FakeModel().Fails(ModelFailures.OfStatus(status, "busy")).Says("42");

        var (result, events) = await RunAsync(model);

        Assert.Equal((AgentOutcome.Answered, "42", 1, 1), (result.Outcome, result.Answer, result.ModelRetries, result.Iterations));
        Assert.Equal(1, Assert.Single(events.OfType<ModelRetrying>()).Retry);
    }

    [Theory]
    [InlineData(400, ModelFailureKind.BadRequest)]
    [InlineData(401, ModelFailureKind.Authentication)]
    [InlineData(402, ModelFailureKind.Billing)]
    [InlineData(403, ModelFailureKind.Permission)]
    [InlineData(404, ModelFailureKind.NotFound)]
    [InlineData(413, ModelFailureKind.TooLarge)]
    [InlineData(429, ModelFailureKind.SpendLimit)]
    public async Task What_does_not_pass_is_not_tried_again(int status, ModelFailureKind kind)
    {
        using var model = new FakeModel().Fails(ModelFailures.OfStatus(status, "no"));

        var (result, _) = await RunAsync(model);

        Assert.Equal((AgentOutcome.ModelFailed, kind, status, 0), (result.Outcome, result.Failure!.Kind, result.Failure.Status, result.ModelRetries));
        Assert.Single(model.Asked);
        Assert.NotEmpty(result.Failure.Remediation);
    }

    [Fact]
    public async Task A_rate_limit_is_waited_out_as_long_as_it_says()
    {
        using var model = new FakeModel().Fails(ModelFailures.OfStatus(429, "slow down", retryAfter: TimeSpan.FromSeconds(17))).Says("42");

        var (result, events) = await RunAsync(model);

        Assert.Equal(AgentOutcome.Answered, result.Outcome);
        Assert.Equal(TimeSpan.FromSeconds(17), Assert.Single(events.OfType<ModelRetrying>()).Delay);
    }

    [Fact]
    public async Task A_wait_longer_than_the_longest_is_a_failure()
    {
        using var model = new FakeModel().Fails(ModelFailures.OfStatus(429, "slow down", retryAfter: TimeSpan.FromHours(2)));

        var (result, _) = await RunAsync(model);

        Assert.Equal((AgentOutcome.ModelFailed, ModelFailureKind.RateLimited), (result.Outcome, result.Failure!.Kind));
    }

    [Fact]
    public async Task Retries_are_bounded_and_each_waits_longer()
    {
        using var model = new FakeModel { Always = (_, _) => Play([], ModelFailures.OfStatus(529, "overloaded")) };

        var (result, events) = await RunAsync(model);

        Assert.Equal((AgentOutcome.ModelFailed, ModelFailureKind.Overloaded, 4), (result.Outcome, result.Failure!.Kind, result.ModelRetries));
        var delays = events.OfType<ModelRetrying>().Select(retry => retry.Delay.TotalSeconds).ToList();
        Assert.Equal([0.5, 1, 2, 4], delays.Select((delay, i) => delay <= 0.5 * Math.Pow(2, i) && delay >= 0.375 * Math.Pow(2, i) ? 0.5 * Math.Pow(2, i) : delay));
        Assert.Equal(5, model.Asked.Count);
    }

    [Theory]
    [InlineData("It is 42.", new[] { "It is ", "42." }, false)]
    [InlineData("It is 42.", new[] { "It", " is 4", "2." }, false)]
    [InlineData("No, 43.", new[] { "It is ", "No, 43." }, true)]
    [InlineData("It", new[] { "It is ", "It" }, true)]
    public async Task A_stream_that_breaks_off_shows_no_text_twice(string again, string[] shown, bool withdrawn)
    {
        // Pieces may come cut differently; what counts is what is read in the end.
        using var model = new FakeModel()
            .Fails(new IOException("reset"), Text("It"), Text(" is "))
            .Then([.. again.Chunk(5).Select(piece => Text(new string(piece))), Stop("end_turn")]);

        var (result, events) = await RunAsync(model);

        Assert.Equal((again, 1), (result.Answer, result.ModelRetries));
        var read = "";
        foreach (var next in events)
        {
            read = next is TextWithdrawn ? "" : next is TextWritten text ? read + text.Text : read;
        }

        Assert.Equal(again, read);
        Assert.Equal(withdrawn, events.OfType<TextWithdrawn>().Any());
        Assert.Equal(withdrawn ? shown[0] + shown[1] : again, string.Concat(events.OfType<TextWritten>().Select(text => text.Text)));
    }

    [Fact]
    public async Task Calls_of_an_answer_that_broke_off_are_not_made()
    {
        var tool = FakeTool.Says("pay", "paid");
        using var model = new FakeModel().Fails(new IOException("reset"), Call(Tool("1", "pay"))).Says("not paid");

        var (result, _) = await RunAsync(model, tool);

        Assert.Equal((0, "not paid"), (tool.Calls, result.Answer));
        Assert.Equal(2, result.Messages.Count);
    }

    [Fact]
    public async Task What_a_broken_answer_used_is_counted()
    {
        using var model = new FakeModel().Fails(new IOException("reset"), Used(100, 3)).Then(Used(100, 5), Text("x"), Stop("end_turn"));

        var (result, _) = await RunAsync(model);

        Assert.Equal(208, result.TotalTokens);
    }

    [Fact]
    public async Task A_stream_that_says_nothing_more_counts_as_broken()
    {
        var time = new FakeTimeProvider();
        var reached = new TaskCompletionSource();
        var again = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var model = new FakeModel().Then((_, cancellationToken) => BudgetTests.Hanging(reached, cancellationToken, Text("It "))).Then((_, _) =>
        {
            again.SetResult(true);
            return Play([Text("It is 42."), Stop("end_turn")]);
        });

        // The clock runs until the model is asked again, however slowly the host does: only the silence and the back-off are to end by it.
        var run = new AgentLoop(model, [], new AgentOptions { Time = time, Timeout = TimeSpan.FromDays(30) }).RunAsync("?");
        await Eventually.Within(reached.Task);
        await time.AdvanceUntil(again.Task, TimeSpan.FromSeconds(5));
        var result = await Eventually.Within(run);

        Assert.Equal((AgentOutcome.Answered, "It is 42.", 1), (result.Outcome, result.Answer, result.ModelRetries));
    }

    [Fact]
    public async Task A_failure_in_the_middle_leaves_a_whole_conversation()
    {
        using var model = new FakeModel().Calls(Tool("1", "look")).Fails(ModelFailures.OfStatus(401, "no"));

        var (result, _) = await RunAsync(model, FakeTool.Says("look", "seen"));

        Assert.Equal((AgentOutcome.ModelFailed, 1), (result.Outcome, result.ToolCalls));
        StopReasonTests.AssertWhole(result.Messages);
    }

    [Fact]
    public async Task A_client_of_another_kind_is_told_by_its_exception()
    {
        using var model = new FakeModel().Fails(new NotSupportedException("no tools here"));

        var (result, _) = await RunAsync(model);

        Assert.Equal(ModelFailureKind.Unknown, result.Failure!.Kind);
        Assert.Contains("NotSupportedException: no tools here", result.Reason, StringComparison.Ordinal);
    }

    private static async Task<(AgentResult Result, List<AgentEvent> Events)> RunAsync(FakeModel model, params AITool[] tools)
    {
        var time = new FakeTimeProvider();

        // The clock runs however slowly the host does: only back-off is to end by it.
        var options = new AgentOptions { Time = time, Timeout = TimeSpan.FromDays(30), Retry = new() { StallTimeout = TimeSpan.FromHours(1) } };
        var events = await time.AdvanceUntil(new AgentLoop(model, tools, options).StreamAsync("?").ToListAsync().AsTask(), TimeSpan.FromMilliseconds(200));
        return (((AgentCompleted)events[^1]).Result, events);
    }
}
