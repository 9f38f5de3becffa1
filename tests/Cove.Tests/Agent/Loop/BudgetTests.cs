using Cove.Agent.Loop;
using Cove.Agent.Models;
using Cove.Agent.Tools;
using Cove.Tests.Support;
using Microsoft.Extensions.AI;
using Xunit;
using static Cove.Tests.Support.FakeModel;

namespace Cove.Tests.Agent.Loop;

public sealed class BudgetTests
{
    [Fact]
    public async Task When_the_iterations_are_used_up_the_model_answers_with_what_it_has()
    {
        var number = 0;
        using var model = new FakeModel
        {
            Always = (asked, _) => asked.Options.ToolMode is NoneChatToolMode
                ? Play([Text("about 40"), Stop("end_turn")])
                : Play([Call(Tool("t" + number, "look", ("n", number++))), Stop("tool_use")]),
        };

        var events = await new AgentLoop(model, [FakeTool.Says("look", "more")], new AgentOptions { MaxIterations = 2 }).StreamAsync("?").ToListAsync();

        var result = ((AgentCompleted)events[^1]).Result;
        Assert.Equal((AgentOutcome.BudgetSpent, AgentBudget.Iterations, "about 40", 3, 2), (result.Outcome, result.Budget, result.Answer, result.Iterations, result.ToolCalls));
        Assert.Equal(AgentBudget.Iterations, Assert.Single(events.OfType<BudgetExhausted>()).Budget);

        // Declared, so that a history with calls in it is taken; not to be called.
        Assert.Single(model.Asked[2].Options.Tools!);
        Assert.IsType<NoneChatToolMode>(model.Asked[2].Options.ToolMode);
        Assert.Contains("withheld", model.Asked[2].Messages[^1].Text, StringComparison.Ordinal);
        Assert.IsType<AutoChatToolMode>(model.Asked[1].Options.ToolMode);
    }

    [Fact]
    public async Task The_default_is_ten_iterations()
    {
        var number = 0;
        using var model = new FakeModel { Always = (asked, _) => asked.Options.ToolMode is NoneChatToolMode ? Play([Text("x"), Stop("end_turn")]) : Play([Call(Tool("t", "look", ("n", number++))), Stop("tool_use")]) };

        var result = await new AgentLoop(model, [FakeTool.Says("look", "more")]).RunAsync("?");

        Assert.Equal((11, 10), (result.Iterations, result.ToolCalls));
    }

    [Fact]
    public async Task Code_that_fails_four_times_has_used_its_three_retries()
    {
        var number = 0;
        using var model = new FakeModel { Always = (asked, _) => asked.Options.ToolMode is NoneChatToolMode ? Play([Text("no"), Stop("end_turn")]) : Play([Call(Tool("t", "run_python", ("code", "v" + number++))), Stop("tool_use")]) };

        var result = await new AgentLoop(model, [FakeTool.Fails("run_python", ToolErrorCategory.Name, call => call.Input.GetRawText())]).RunAsync("?");

        Assert.Equal((AgentBudget.CodeRetries, 4, 3, AgentOutcome.BudgetSpent), (result.Budget, result.CodeAttempts, result.Retries, result.Outcome));
    }

    [Fact]
    public async Task Success_spends_no_retry_and_a_repaired_run_takes_two_attempts()
    {
        var number = 0;
        var python = new FakeTool("run_python", (_, _) => Task.FromResult(number++ == 0 ? ToolResult.Failed(new ToolError { ErrorCategory = ToolErrorCategory.MissingModule, IsRetryable = true, Context = "No module named 'stats'", Remediation = "Use statistics." }) : ToolResult.Of("15.8114")));
        using var model = new FakeModel().Calls(Tool("1", "run_python", ("code", "import stats"))).Calls(Tool("2", "run_python", ("code", "import statistics"))).Says("15.8114");

        var result = await new AgentLoop(model, [python], new AgentOptions { MaxCodeRetries = 1 }).RunAsync("?");

        Assert.Equal((AgentOutcome.Answered, 2, 1, "15.8114"), (result.Outcome, result.CodeAttempts, result.Retries, result.Answer));
        Assert.Contains("\"errorCategory\":\"missing_module\"", (string)Assert.Single(model.Asked[1].Results).Result!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_successful_runs_spend_nothing()
    {
        var model = new FakeModel();
        for (var i = 0; i < 8; i++)
        {
            model.Calls(Tool("t" + i, "run_python", ("code", "v" + i)));
        }

        using (model.Says("ok"))
        {
            var result = await new AgentLoop(model, [FakeTool.Says("run_python", "1")], new AgentOptions { MaxCodeRetries = 0 }).RunAsync("?");

            Assert.Equal((AgentOutcome.Answered, 8, 0), (result.Outcome, result.CodeAttempts, result.Retries));
        }
    }

    [Theory]
    [InlineData("look", ToolErrorCategory.Exception)]
    [InlineData("run_python", ToolErrorCategory.Policy)]
    [InlineData("run_python", ToolErrorCategory.Unavailable)]
    [InlineData("run_python", ToolErrorCategory.Input)]
    public async Task Only_failures_of_code_spend_retries(string name, ToolErrorCategory category)
    {
        using var model = new FakeModel().Calls(Tool("1", name, ("a", 1))).Says("ok");

        var result = await new AgentLoop(model, [FakeTool.Fails(name, category)], new AgentOptions { MaxCodeRetries = 0 }).RunAsync("?");

        Assert.Equal((AgentOutcome.Answered, (AgentBudget?)null), (result.Outcome, result.Budget));
        Assert.Equal(name == "run_python" && category is ToolErrorCategory.Unavailable ? 1 : 0, result.CodeAttempts);
    }

    [Fact]
    public async Task The_same_failure_again_is_pointed_out_and_in_the_end_ends_it()
    {
        using var model = new FakeModel { Always = (asked, _) => asked.Options.ToolMode is NoneChatToolMode ? Play([Text("no"), Stop("end_turn")]) : Play([Call(Tool("t", "look", ("n", 1))), Stop("tool_use")]) };

        var result = await new AgentLoop(model, [FakeTool.Fails("look", ToolErrorCategory.Permission)]).RunAsync("?");

        Assert.Equal((AgentBudget.RepeatedFailure, 4), (result.Budget, result.Iterations));
        Assert.IsType<string>(Assert.Single(model.Asked[1].Results).Result);
        var second = (IReadOnlyList<AIContent>)Assert.Single(model.Asked[2].Results).Result!;
        Assert.Contains("failed 2 times in the same way", ((TextContent)second[^1]).Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ToolErrorCategory.Exception, "It ended with exit code 1.", false)]
    [InlineData(ToolErrorCategory.Timeout, "Execution exceeded 30s limit.", false)]
    [InlineData(ToolErrorCategory.Memory, "It reached its memory limit.", false)]
    [InlineData(ToolErrorCategory.Policy, "The user did not approve this call.", false)]
    [InlineData(ToolErrorCategory.Exception, "ZeroDivisionError: division by zero (line 1: 1/0)", true)]
    [InlineData(ToolErrorCategory.Permission, "The sandbox has no network.", true)]
    public async Task Different_calls_fail_the_same_way_only_where_the_error_says_what_it_was(ToolErrorCategory category, string context, bool isSame)
    {
        var number = 0;
        using var model = new FakeModel
        {
            Always = (asked, _) => asked.Options.ToolMode is NoneChatToolMode || ++number > 4
                ? Play([Text("done"), Stop("end_turn")])
                : Play([Call(Tool("t" + number, "bash", ("command", "test -f " + number))), Stop("tool_use")]),
        };

        var result = await new AgentLoop(model, [FakeTool.Fails("bash", category, _ => context)]).RunAsync("?");

        Assert.Equal(isSame ? AgentBudget.RepeatedFailure : null, result.Budget);
    }

    [Fact]
    public async Task Tokens_are_counted_of_every_kind_and_their_budget_holds()
    {
        using var model = new FakeModel()
            .Then(Used(100, 0, 10, 20), Call(Tool("1", "look")), Used(0, 50), Stop("tool_use"))
            .Then(Used(5, 5), Text("so far"), Stop("end_turn"));

        var result = await new AgentLoop(model, [FakeTool.Says("look", "")], new AgentOptions
        {
            Model = "m",
            MaxTotalTokens = 180,
            Prices = new ModelPrices(new Dictionary<string, ModelPrice> { ["m"] = new(1, 10, 0.5m, 2) }),
        }).RunAsync("?");

        Assert.Equal((AgentOutcome.BudgetSpent, AgentBudget.Tokens), (result.Outcome, result.Budget));
        Assert.Equal((105, 55, 10, 20, 190), (result.InputTokens, result.OutputTokens, result.CacheReadTokens, result.CacheWriteTokens, result.TotalTokens));
        Assert.Equal((105m + 550m + 5m + 40m) / 1_000_000m, result.Cost);
    }

    [Fact]
    public async Task A_model_without_a_price_has_an_unknown_cost_not_none()
    {
        using var model = new FakeModel().Then(Used(100, 10), Text("x"), Stop("end_turn"));

        var result = await new AgentLoop(model, [], new AgentOptions { Model = "nobody-knows-this" }).RunAsync("?");

        Assert.Null(result.Cost);
        Assert.DoesNotContain("cost_usd", result.ToJson(), StringComparison.Ordinal);
    }

    [Fact]
    public void Prices_follow_the_length_of_the_prompt_and_dated_names()
    {
        var price = ModelPrices.Known.Of("claude-haiku-5-5-20261007")!;

        Assert.Equal(0.10m, price.Of(new TokenCount(1_000_000, 0, 0, 0) with { Input = 100_000 }) * 10);
        Assert.Equal(0.50m * 200_000 / 1_000_000, price.Of(new TokenCount(150_000, 0, 0, 50_000) with { CacheWrite = 0, Input = 200_000 }));
        Assert.Null(ModelPrices.Known.Of("claude-opus-99"));
    }

    [Fact]
    public async Task When_the_time_is_over_tools_are_interrupted_and_one_answer_is_asked_for()
    {
        var time = new FakeTimeProvider();
        var running = new TaskCompletionSource();
        var tool = new FakeTool("run_python", async (_, cancellationToken) =>
        {
            running.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
            throw new InvalidOperationException("not reached");
        });
        using var model = new FakeModel().Calls(Tool("1", "run_python", ("code", "loop"))).Says("what I have");

        var run = new AgentLoop(model, [tool], new AgentOptions { Time = time, Timeout = TimeSpan.FromMinutes(5) }).RunAsync("?");
        await Eventually.Within(running.Task);
        time.Advance(TimeSpan.FromMinutes(5));
        var result = await Eventually.Within(run);

        Assert.Equal((AgentOutcome.BudgetSpent, AgentBudget.WallTime, "what I have"), (result.Outcome, result.Budget, result.Answer));
        Assert.Contains("wall time", (string)Assert.Single(model.Asked[1].Results).Result!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_last_answer_that_does_not_come_is_not_waited_for()
    {
        var time = new FakeTimeProvider();
        var asked = new TaskCompletionSource();
        using var model = new FakeModel().Then((_, cancellationToken) => Hanging(asked, cancellationToken));

        var run = new AgentLoop(model, [], new AgentOptions { Time = time, Timeout = TimeSpan.FromMinutes(1), FinalAnswerTime = TimeSpan.FromMinutes(1) }).RunAsync("?");
        await Eventually.Within(asked.Task);
        time.Advance(TimeSpan.FromMinutes(2));
        var result = await Eventually.Within(run);

        Assert.Equal((AgentOutcome.BudgetSpent, AgentBudget.WallTime, ""), (result.Outcome, result.Budget, result.Answer));
    }

    [Fact]
    public async Task A_model_that_asks_for_withheld_tools_gets_none()
    {
        using var model = new FakeModel { Always = (_, _) => Play([Text("still"), Call(Tool("t", "look")), Stop("tool_use")]) };
        var tool = FakeTool.Says("look", "");

        var result = await new AgentLoop(model, [tool], new AgentOptions { MaxIterations = 1 }).RunAsync("?");

        Assert.Equal((AgentOutcome.BudgetSpent, "still", 1), (result.Outcome, result.Answer, tool.Calls));
        StopReasonTests.AssertWhole(result.Messages);
    }

    [Fact]
    public void Wrong_limits_are_refused_by_name()
    {
        using var model = new FakeModel();

        var refused = Assert.Throws<ArgumentException>(() => new AgentLoop(model, [], new AgentOptions { MaxIterations = 0 }));

        Assert.StartsWith("MaxIterations is '0'. Give 1 to 1000.", refused.Message, StringComparison.Ordinal);
    }

    internal static async IAsyncEnumerable<ChatResponseUpdate> Hanging(TaskCompletionSource reached, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken, params ChatResponseUpdate[] before)
    {
        foreach (var update in before)
        {
            yield return update;
        }

        reached.TrySetResult();
        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
    }
}
