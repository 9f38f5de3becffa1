using System.Text.Json;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.ToolCalls;

/// <summary>Tool calls between a kernel that speaks the protocol's bytes and a caller: what is told, what is answered, what is refused, and what the clock does meanwhile.</summary>
public sealed class ToolCallTests
{
    private static readonly JsonElement Seven = JsonElement.Parse("7");

    internal static RunRequest Request(params string[] names) => new()
    {
        Code = "await tools.x()",
        Tools = [.. (names.Length == 0 ? ["echo"] : names).Select(n => new HostTool { Name = n, Description = "Does " + n, InputSchema = JsonElement.Parse("""{"type":"object"}""") })],
    };

    [Fact]
    public async Task A_call_is_an_event_and_its_answer_reaches_the_guest()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        JsonElement declared = default, answer = default;
        cell.OnExecute = async run =>
        {
            declared = await run.HearAsync();
            await run.CallAsync(1, "get-it", """{"a":[1,"ü"]}""");
            answer = await run.HearAsync();
            await run.DoneAsync();
        };
        var started = await harness.Engine.StartRunAsync(id, Request("get-it", "import") with { MaxToolCalls = 5 });
        var call = await CallAsync(harness, id, started.Id);
        Assert.Equal(("call_1", "get-it", """{"a":[1,"ü"]}"""), (call.CallId, call.Name, call.Arguments.GetRawText()));
        Assert.Equal("call_1", Assert.Single((await harness.Engine.GetRunAsync(id, started.Id)).PendingToolCalls!).CallId);
        await harness.Engine.AnswerToolCallAsync(id, started.Id, "call_1", HostAnswer.Of(Seven));
        var events = await EventsAsync(harness, id, started.Id);
        Assert.Equal((5, "get_it", "import_", "Does import"), (declared.GetProperty("max_calls").GetInt32(), Declared(declared, 0, "python"), Declared(declared, 1, "python"), Declared(declared, 1, "description")));
        Assert.Equal((1, 7), (answer.GetProperty("call").GetInt32(), answer.GetProperty("result").GetInt32()));
        Assert.Null(Assert.Single(events.OfType<RunToolAnswered>()).Error);
        var result = ((RunCompleted)events[^1]).Result;
        Assert.Equal((RunOutcome.Ok, 1), (result.Outcome, result.ToolCalls));
        Assert.Null((await harness.Engine.GetRunAsync(id, started.Id)).PendingToolCalls);
    }

    [Fact]
    public async Task Answers_for_what_does_not_wait_are_refused()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        var go = new TaskCompletionSource();
        cell.OnExecute = async run =>
        {
            if (run.Code == "1")
            {
                await go.Task;
                await run.DoneAsync();
                return;
            }

            await run.HearAsync();
            await run.CallAsync(1, "echo");
            await run.HearAsync();
            await go.Task;
            await run.DoneAsync();
        };
        var started = await harness.Engine.StartRunAsync(id, Request());
        await CallAsync(harness, id, started.Id);
        foreach (var unknown in new[] { "call_2", "call_01", "call_-1", "call_ 1", "1", "", "call_99999999999999999999", "\u0001" })
        {
            await RefusedAsync("tool_call_not_found", () => harness.Engine.AnswerToolCallAsync(id, started.Id, unknown, HostAnswer.Of(Seven)));
        }

        await RefusedAsync("invalid_request", () => harness.Engine.AnswerToolCallAsync(id, started.Id, "call_1", new HostAnswer()));
        await RefusedAsync("invalid_request", () => harness.Engine.AnswerToolCallAsync(id, started.Id, "call_1", new HostAnswer { Result = Seven, Error = new HostFailure { Message = "x" } }));
        await RefusedAsync("invalid_request", () => harness.Engine.AnswerToolCallAsync(id, started.Id, "call_1", HostAnswer.Failed("No Such", "x")));
        await RefusedAsync("invalid_request", () => harness.Engine.AnswerToolCallAsync(id, started.Id, "call_1", HostAnswer.Of(JsonSerializer.SerializeToElement(new string('x', 1_000_001)))));
        await harness.Engine.AnswerToolCallAsync(id, started.Id, "call_1", new HostAnswer { Error = new HostFailure { Message = "No." } });
        await RefusedAsync("tool_call_answered", () => harness.Engine.AnswerToolCallAsync(id, started.Id, "call_1", HostAnswer.Of(Seven)));
        go.SetResult();
        var events = await EventsAsync(harness, id, started.Id);
        Assert.Equal(("unavailable", "No."), (events.OfType<RunToolAnswered>().Single().Error!.Category, events.OfType<RunToolAnswered>().Single().Error!.Message));
        await RefusedAsync("run_ended", () => harness.Engine.AnswerToolCallAsync(id, started.Id, "call_1", HostAnswer.Of(Seven)));
        await RefusedAsync("run_not_found", () => harness.Engine.AnswerToolCallAsync(id, new RunId("r9"), "call_1", HostAnswer.Of(Seven)));
        var plain = await harness.Engine.StartRunAsync(id, new RunRequest { Code = "1", Kernel = "other" });
        Assert.Null(((RunCompleted)(await EventsAsync(harness, id, plain.Id))[^1]).Result.ToolCalls);
    }

    [Fact]
    public async Task A_call_that_nobody_answers_fails_in_time_and_the_run_goes_on()
    {
        var time = new FakeTimeProvider();
        await using var harness = await EngineHarness.StartAsync(time: time);
        var (id, cell) = await harness.CreateAsync();
        JsonElement answer = default;
        cell.OnExecute = async run =>
        {
            await run.HearAsync();
            await run.CallAsync(1, "echo");
            answer = await run.HearAsync();
            await run.DoneAsync();
        };
        var started = await harness.Engine.StartRunAsync(id, Request() with { ToolCallTimeout = TimeSpan.FromSeconds(90), Timeout = TimeSpan.FromSeconds(30) });
        await CallAsync(harness, id, started.Id);
        time.Advance(TimeSpan.FromSeconds(90));
        var events = await EventsAsync(harness, id, started.Id);
        Assert.Equal("timeout", answer.GetProperty("error").GetProperty("category").GetString());
        Assert.Contains("1 min 30 s", answer.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromSeconds(90), events.OfType<RunToolAnswered>().Single().Waited);
        var result = ((RunCompleted)events[^1]).Result;
        Assert.Equal((RunOutcome.Ok, TimeSpan.FromSeconds(90)), (result.Outcome, result.ToolWait)); // its 30 s were not over: the clock stood still
    }

    [Fact]
    public async Task The_clock_goes_on_with_what_was_left_when_the_last_answer_came()
    {
        var time = new FakeTimeProvider();
        await using var harness = await EngineHarness.StartAsync(time: time);
        var (id, cell) = await harness.CreateAsync();
        var calls = new TaskCompletionSource();
        cell.OnExecute = async run =>
        {
            await run.HearAsync();
            await calls.Task;
            await run.CallAsync(1, "echo");
            await run.CallAsync(2, "echo");
            await run.HearAsync();
            await run.HearAsync();
            await run.Interrupted;
            await run.SayInterruptedAsync();
        };
        var started = await harness.Engine.StartRunAsync(id, Request() with { Timeout = TimeSpan.FromSeconds(30) });
        time.Advance(TimeSpan.FromSeconds(20));
        calls.SetResult();
        await CallAsync(harness, id, started.Id, "call_2");
        time.Advance(TimeSpan.FromSeconds(40));
        await harness.Engine.AnswerToolCallAsync(id, started.Id, "call_1", HostAnswer.Of(Seven));
        time.Advance(TimeSpan.FromSeconds(15)); // one still waits
        await harness.Engine.AnswerToolCallAsync(id, started.Id, "call_2", HostAnswer.Of(Seven));
        time.Advance(TimeSpan.FromSeconds(9));
        Assert.Null((await harness.Engine.GetRunAsync(id, started.Id)).Result);
        time.Advance(TimeSpan.FromSeconds(1));
        var result = ((RunCompleted)(await EventsAsync(harness, id, started.Id))[^1]).Result;
        Assert.Equal((RunOutcome.TimedOut, TimeSpan.FromSeconds(55), 2), (result.Outcome, result.ToolWait, result.ToolCalls));
    }

    [Theory]
    [InlineData("not declared", 1, "other", "{}")]
    [InlineData("in order", 2, "echo", "{}")]
    [InlineData("in order", 0, "echo", "{}")]
    [InlineData("in order", -1, "echo", "{}")]
    [InlineData("nonce", 1, "echo", "{}", "00000000000000000000000000000000")]
    [InlineData("valid JSON", 1, "a_name_that_is_longer_than_any_tool_of_this_protocol_may_be_named_at_all", "{}")]
    public async Task What_no_honest_kernel_sends_ends_the_kernel(string why, int call, string name, string arguments, string? forged = null)
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.OnExecute = run => run.CallAsync(call, name, arguments, forged);
        var events = await Eventually.Within(harness.RunAsync(id, Request()));
        var result = ((RunCompleted)events[^1]).Result;
        Assert.Equal((RunOutcome.Killed, "guest_protocol_violation"), (result.Outcome, result.Error!.Code));
        Assert.Contains(why, result.Error.Message, StringComparison.Ordinal);
        Assert.Empty(events.OfType<RunToolCall>());
    }

    [Fact]
    public async Task Floods_and_giants_end_the_kernel_and_nothing_else()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        foreach (var (flood, why) in new (Func<GuestRun, Task>, string)[]
        {
            (async run => { for (var n = 1; n <= 129; n++) { await run.CallAsync(n, "echo"); } }, "at once"),
            (async run => { for (var n = 1; n <= 4; n++) { await run.CallAsync(n, "echo"); } }, "more than the 3"),
            (async run => { for (var n = 1; n <= 17; n++) { await run.CallAsync(n, "echo", $$"""{"x":"{{new string('x', 260_000)}}"}"""); } }, "together"),
            (run => run.CallAsync(1, "echo", $$"""{"x":"{{new string('x', 300_000)}}"}"""), "more arguments"),
            (run => run.SendRawAsync([0x7f, 0xff, 0xff, 0xff]), "frame"),
        })
        {
            cell.OnExecute = flood;
            var request = Request() with { MaxToolCalls = why is "at once" or "together" ? 1000 : 3 };
            var result = ((RunCompleted)(await Eventually.Within(harness.RunAsync(id, request)))[^1]).Result;
            Assert.Equal("guest_protocol_violation", result.Error?.Code);
            Assert.Contains(why, result.Error!.Message, StringComparison.Ordinal);
            cell.OnExecute = run => run.DoneAsync();
            Assert.Equal(RunOutcome.Ok, (await harness.ResultAsync(id, "1")).Outcome);
        }
    }

    [Fact]
    public async Task A_kernel_that_makes_all_calls_it_may_and_the_next_with_each_answer_is_an_honest_one()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        var noticed = new TaskCompletionSource();
        cell.OnExecute = async run =>
        {
            await run.HearAsync();
            run.Channels.HostNotices = () => noticed.Task;
            for (var n = 1; n <= 128; n++)
            {
                await run.CallAsync(n, "echo");
            }

            await run.HearAsync();
            await run.CallAsync(129, "echo");
            await noticed.Task;
            await run.DoneAsync();
        };
        var started = await harness.Engine.StartRunAsync(id, Request() with { MaxToolCalls = 1000 });
        await CallAsync(harness, id, started.Id, "call_128");
        await harness.Engine.AnswerToolCallAsync(id, started.Id, "call_1", HostAnswer.Of(Seven));
        await CallAsync(harness, id, started.Id, "call_129");
        noticed.SetResult();
        Assert.Equal(RunOutcome.Ok, ((RunCompleted)(await EventsAsync(harness, id, started.Id))[^1]).Result.Outcome);
    }

    [Fact]
    public async Task A_call_in_a_run_without_tools_ends_the_kernel()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.OnExecute = run => run.CallAsync(1, "echo");
        Assert.Equal("guest_protocol_violation", (await harness.ResultAsync(id, "1")).Error!.Code);
    }

    [Theory]
    [InlineData("[1]")]
    [InlineData("{")]
    [InlineData("""{"a":1,"a":2}""")]
    [InlineData("""{"a":"\ud800"}""")]
    [InlineData("""{"\udc00":1}""")]
    [InlineData("""{"a":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}""")]
    public async Task Arguments_that_are_none_are_answered_so_and_told_to_nobody(string arguments)
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        JsonElement answer = default;
        cell.OnExecute = async run =>
        {
            await run.HearAsync();
            await run.CallAsync(1, "echo", arguments);
            answer = await run.HearAsync();
            await run.DoneAsync();
        };
        var events = await Eventually.Within(harness.RunAsync(id, Request()));
        Assert.Equal("input", answer.GetProperty("error").GetProperty("category").GetString());
        Assert.Empty(events.OfType<RunToolCall>());
        Assert.Equal(RunOutcome.Ok, ((RunCompleted)events[^1]).Result.Outcome);
    }

    [Fact]
    public async Task A_guest_that_does_not_read_its_answers_holds_the_host_to_bounded_memory_and_ends_with_its_run()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.OnExecute = async run =>
        {
            for (var n = 1; n <= 20; n++)
            {
                await run.CallAsync(n, "echo");
            }

            await run.Interrupted;
            await run.SayInterruptedAsync();
        };
        var started = await harness.Engine.StartRunAsync(id, Request());
        await CallAsync(harness, id, started.Id, "call_20");
        var large = HostAnswer.Of(JsonSerializer.SerializeToElement(new string('x', 900_000)));
        var answers = Enumerable.Range(1, 20).Select(n => harness.Engine.AnswerToolCallAsync(id, started.Id, $"call_{n}", large)).ToList();
        Assert.InRange(answers.Count(a => a.IsCompletedSuccessfully), 1, 5); // 4 MiB of them
        await harness.Engine.InterruptRunAsync(id, started.Id);
        Assert.Equal(RunOutcome.Interrupted, ((RunCompleted)(await EventsAsync(harness, id, started.Id))[^1]).Result.Outcome);
        foreach (var waiting in answers.Where(a => !a.IsCompletedSuccessfully))
        {
            await RefusedAsync("run_ended", () => Eventually.Within(waiting));
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Answers_that_the_host_can_not_carry_are_its_own_failure_and_the_run_is_not_begun_again(bool called)
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.OnExecute = async run =>
        {
            await run.HearAsync();
            if (called)
            {
                await run.CallAsync(1, "echo");
            }
        };
        var written = 0;
        cell.BeforeRun = channels => channels.HostNotices = () => ++written > (called ? 1 : 0) ? Task.FromException(new IOException("The host's pipe is broken.")) : Task.CompletedTask;
        var started = await harness.Engine.StartRunAsync(id, Request());
        if (called)
        {
            await CallAsync(harness, id, started.Id);
            await harness.Engine.AnswerToolCallAsync(id, started.Id, "call_1", HostAnswer.Of(Seven));
        }

        var result = ((RunCompleted)(await EventsAsync(harness, id, started.Id))[^1]).Result;
        Assert.Equal((RunOutcome.InfrastructureFailure, "tool_answers_lost", true, called ? 1 : 0), (result.Outcome, result.Error!.Code, result.StateLost, result.ToolCalls));
        Assert.Equal(1, Assert.Single(cell.Kernels).Kills);
        (cell.BeforeRun, cell.OnExecute) = (null, run => run.DoneAsync());
        Assert.Equal(RunOutcome.Ok, (await harness.ResultAsync(id, "1")).Outcome);
    }

    [Fact]
    public async Task An_answer_whose_pipe_is_closed_at_the_end_of_a_run_is_nobodys_failure_and_begins_nothing_again()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.BeforeRun = channels =>
        {
            var writing = new TaskCompletionSource();
            channels.HostNotices = () => writing.Task;
            channels.Closing = () => writing.TrySetException(new ObjectDisposedException("The host's pipe."));
        };
        cell.OnExecute = async run =>
        {
            await run.HearAsync();
            run.Kernel.Exit(null, 9);
        };
        var result = ((RunCompleted)(await Eventually.Within(harness.RunAsync(id, Request())))[^1]).Result;
        Assert.Equal((RunOutcome.Killed, "kernel_died"), (result.Outcome, result.Error!.Code));
        Assert.DoesNotContain("was not begun", result.Error.Message, StringComparison.Ordinal);
        Assert.Single(cell.Kernels);
    }

    [Fact]
    public async Task A_kernel_that_knows_no_tools_is_said_to_be_one()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.Hello = _ => """{"t":"hello","generation":1,"language":"python","version":"3.11.2"}""";
        var result = ((RunCompleted)(await Eventually.Within(harness.RunAsync(id, Request() with { Kernel = "old" })))[^1]).Result;
        Assert.Equal("tools_unavailable", result.Error!.Code);
        Assert.Equal(RunOutcome.Ok, ((RunCompleted)(await harness.RunAsync(id, new RunRequest { Code = "1", Kernel = "old" }))[^1]).Result.Outcome);
    }

    private static string? Declared(JsonElement tools, int index, string field) => tools.GetProperty("tools")[index].GetProperty(field).GetString();

    private static async Task<RunToolCall> CallAsync(EngineHarness harness, SandboxId sandbox, RunId run, string callId = "call_1") =>
        await Eventually.Within(harness.Engine.ReadRunAsync(sandbox, run).OfType<RunToolCall>().FirstAsync(c => c.CallId == callId).AsTask());

    private static Task<List<RunEvent>> EventsAsync(EngineHarness harness, SandboxId sandbox, RunId run) =>
        Eventually.Within(harness.Engine.ReadRunAsync(sandbox, run).ToListAsync().AsTask());

    private static async Task RefusedAsync(string code, Func<Task> call) => Assert.Equal(code, (await Assert.ThrowsAsync<CoveException>(call)).Error.Code);
}
