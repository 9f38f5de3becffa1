using Cove.Agent.Loop;
using Cove.Tests.Support;
using Microsoft.Extensions.AI;
using Xunit;
using static Cove.Tests.Support.FakeModel;

namespace Cove.Tests.Agent.Loop;

public sealed class StopReasonTests
{
    [Fact]
    public async Task An_answer_ends_it()
    {
        using var model = new FakeModel().Says("42");

        var result = await new AgentLoop(model, []).RunAsync("?");

        Assert.Equal((AgentOutcome.Answered, "42", "end_turn", 1, 0), (result.Outcome, result.Answer, result.StopReason, result.Iterations, result.ToolCalls));
    }

    [Fact]
    public async Task A_tool_is_run_and_the_answer_stands_on_its_result()
    {
        using var model = new FakeModel().Calls(Tool("t1", "run_python", ("code", "print(6*7)"))).Says("It is 42.");
        var tool = FakeTool.Says("run_python", "42\n");

        var result = await new AgentLoop(model, [tool]).RunAsync("6*7?");

        Assert.Equal(("It is 42.", 2, 1, 0), (result.Answer, result.Iterations, result.CodeAttempts, result.Retries));
        var answer = Assert.Single(model.Asked[1].Results);
        Assert.Equal(("t1", "42\n", null), (answer.CallId, answer.Result, answer.Exception));
        Assert.Equal([ChatRole.User, ChatRole.Assistant, ChatRole.Tool, ChatRole.Assistant], result.Messages.Select(m => m.Role));
    }

    [Theory]
    [InlineData("end_turn", AgentOutcome.Answered)]
    [InlineData("stop_sequence", AgentOutcome.Answered)]
    [InlineData("max_tokens", AgentOutcome.MaxTokens)]
    [InlineData("refusal", AgentOutcome.Refused)]
    [InlineData("model_context_window_exceeded", AgentOutcome.ContextExceeded)]
    [InlineData("compaction", AgentOutcome.Stopped)]
    [InlineData("tool_use", AgentOutcome.Stopped)]
    public async Task Every_stop_reason_ends_with_its_own_outcome_and_what_was_said(string reason, AgentOutcome expected)
    {
        using var model = new FakeModel().Says("half an ans", reason);

        var result = await new AgentLoop(model, []).RunAsync("?");

        Assert.Equal((expected, "half an ans", reason), (result.Outcome, result.Answer, result.StopReason));
        Assert.NotEmpty(result.Reason);
    }

    [Fact]
    public async Task An_unknown_stop_reason_is_named()
    {
        using var model = new FakeModel().Says("", "solar_flare");

        var result = await new AgentLoop(model, []).RunAsync("?");

        Assert.Contains("solar_flare", result.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_says_why()
    {
        using var model = new FakeModel().Then(Stop("refusal", "cyber: not this"));

        var result = await new AgentLoop(model, []).RunAsync("?");

        Assert.Equal("The model refused: cyber: not this", result.Reason);
    }

    [Fact]
    public async Task A_paused_turn_is_sent_back_as_it_is_and_nothing_is_said_in_between()
    {
        using var model = new FakeModel().Says("so far", "pause_turn").Says("done");

        var result = await new AgentLoop(model, []).RunAsync("?");

        Assert.Equal((AgentOutcome.Answered, "end_turn"), (result.Outcome, result.StopReason));
        Assert.Equal([ChatRole.User, ChatRole.Assistant], model.Asked[1].Messages.Select(m => m.Role));
        Assert.Equal("so far", model.Asked[1].Messages[1].Text);
    }

    [Fact]
    public async Task The_answer_holds_every_part_of_a_paused_turn_and_nothing_of_the_turns_before_it()
    {
        using var model = new FakeModel().Then(Text("I look."), Call(Tool("t1", "look")), Stop("tool_use"))
            .Says("\nIt is ", "pause_turn").Says("42, ", "pause_turn").Says("I am sure.\n");

        var result = await new AgentLoop(model, [FakeTool.Says("look", "42")]).RunAsync("?");

        Assert.Equal((AgentOutcome.Answered, "It is 42, I am sure.", 4), (result.Outcome, result.Answer, result.Iterations));
    }

    [Fact]
    public async Task What_a_turn_said_that_stays_paused_when_the_budget_is_spent_is_the_answer()
    {
        using var model = new FakeModel().Says("It is ", "pause_turn").Says("42", "pause_turn");

        var result = await new AgentLoop(model, [], new AgentOptions { MaxIterations = 2 }).RunAsync("?");

        Assert.Equal((AgentOutcome.BudgetSpent, "It is 42"), (result.Outcome, result.Answer));
    }

    [Fact]
    public async Task A_call_that_was_cut_is_not_run_and_the_model_is_told()
    {
        var cut = new FunctionCallContent("t2", "run_python") { Exception = new System.Text.Json.JsonException("cut") };
        using var model = new FakeModel().Then(Call(Tool("t1", "run_python", ("code", "1"))), Call(cut), Stop("max_tokens")).Says("shorter");
        var tool = FakeTool.Says("run_python", "1\n");

        var result = await new AgentLoop(model, [tool]).RunAsync("?");

        Assert.Equal((AgentOutcome.Answered, 1), (result.Outcome, tool.Calls));
        var results = model.Asked[1].Results;
        Assert.Equal(["t1", "t2"], results.Select(r => r.CallId));
        Assert.Null(results[0].Exception);
        Assert.Contains("most tokens", (string)results[1].Result!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_call_cut_before_its_first_argument_is_not_run_as_one_without_arguments()
    {
        using var model = new FakeModel().Then(Call(Tool("t1", "list")), Stop("max_tokens")).Says("ok");
        var tool = FakeTool.Says("list", "");

        await new AgentLoop(model, [tool]).RunAsync("?");

        Assert.Equal(0, tool.Calls);
    }

    [Fact]
    public async Task A_model_that_is_cut_again_and_again_is_not_asked_for_ever()
    {
        using var model = new FakeModel { Always = (_, _) => Play([Call(new FunctionCallContent("t", "run_python") { Exception = new System.Text.Json.JsonException("cut") }), Stop("max_tokens")]) };

        var result = await new AgentLoop(model, [FakeTool.Says("run_python", "")]).RunAsync("?");

        Assert.Equal((AgentOutcome.MaxTokens, 3), (result.Outcome, result.Iterations));
        AssertWhole(result.Messages);
    }

    [Fact]
    public async Task A_client_that_gives_no_reason_has_stopped_for_its_calls_or_at_its_end()
    {
        using var model = new FakeModel().Then(Call(Tool("t1", "look"))).Then(Text("seen"));

        var result = await new AgentLoop(model, [FakeTool.Says("look", "!")]).RunAsync("?");

        Assert.Equal((AgentOutcome.Answered, "seen", 1), (result.Outcome, result.Answer, result.ToolCalls));
    }

    [Theory]
    [InlineData("end_turn")]
    [InlineData("refusal")]
    [InlineData("something_else")]
    public async Task Calls_of_a_turn_that_ends_are_answered_as_not_done(string reason)
    {
        using var model = new FakeModel().Then(Call(Tool("t1", "look")), Stop(reason));
        var tool = FakeTool.Says("look", "!");

        var result = await new AgentLoop(model, [tool]).RunAsync("?");

        Assert.Equal(0, tool.Calls);
        AssertWhole(result.Messages);
    }

    /// <summary>Every call of a tool is answered in the message after it, in order.</summary>
    internal static void AssertWhole(IReadOnlyList<ChatMessage> messages)
    {
        for (var i = 0; i < messages.Count; i++)
        {
            var calls = messages[i].Contents.OfType<FunctionCallContent>().Select(call => call.CallId).ToList();
            if (calls.Count > 0)
            {
                Assert.True(i + 1 < messages.Count, "A call at the end is not answered.");
                Assert.Equal(ChatRole.Tool, messages[i + 1].Role);
                Assert.Equal(calls, messages[i + 1].Contents.OfType<FunctionResultContent>().Select(result => result.CallId));
            }
        }
    }
}
