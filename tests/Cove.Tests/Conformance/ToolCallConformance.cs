using System.Text.Json;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Conformance;

/// <summary>Code that calls its caller's tools, and code that abuses that.</summary>
public abstract class ToolCallConformance(BackendUnderTest backend) : ConformanceSuite(backend)
{
    private const string FindChannel = "import gc\nchannel = next(o for o in gc.get_objects() if type(o).__name__ == 'Results')\n";

    private static RunRequest Calling(string code) => new()
    {
        Code = code,
        Timeout = TimeSpan.FromSeconds(60),
        Tools = [new HostTool { Name = "add", Description = "Adds.", InputSchema = JsonElement.Parse("""{"type":"object","properties":{"a":{"type":"number"},"b":{"type":"number"}},"required":["a","b"]}""") }],
    };

    [Fact]
    public async Task Calls_are_answered_alone_and_together()
    {
        await using var sandbox = await SandboxAsync();
        var run = await AnsweredAsync(sandbox, Calling("""
            import asyncio, inspect
            print(inspect.signature(tools.add), await tools.add(1, 2), await tools.add(a=0.5, b=0.25))
            print(sum(await asyncio.gather(*(tools.add(n, 1) for n in range(50)))))
            """));
        AssertOk(run);
        Assert.Equal("(a: float, b: float) 3 0.75\n1275\n", run.Stdout);
        Assert.Equal(52, run.Result.ToolCalls);
        Assert.Equal(52, run.Events.OfType<RunToolAnswered>().Count());
    }

    [Fact]
    public async Task A_failure_is_an_exception_and_the_run_goes_on()
    {
        await using var sandbox = await SandboxAsync();
        var run = await AnsweredAsync(sandbox, Calling("""
            try:
                await tools.add(1, 2)
            except ToolCallError as error:
                print(type(error).__name__, error.category, error.retryable, error.tool, error)
            """), call => HostAnswer.Failed("unavailable", "The sum service is down.", retryable: true));
        Assert.Equal("ToolCallError unavailable True add The sum service is down.\n", run.Stdout);
    }

    [Fact]
    public async Task A_call_that_waits_can_be_interrupted_and_killed_and_times_out()
    {
        await using var sandbox = await SandboxAsync();
        var waiting = sandbox.Start(Calling("kept = 7\nprint('go', flush=True)\nawait tools.add(1, 2)"));
        await WaitsAsync(sandbox, waiting.Id);
        await sandbox.Cove.InterruptRunAsync(sandbox.Id, waiting.Id);
        Assert.Equal(RunOutcome.Interrupted, (await waiting.Completion).Outcome);
        var run = await AnsweredAsync(sandbox, Calling("await tools.add(kept, 1)"));
        Assert.Equal("8", run.Value);
        run = await sandbox.RunAsync(Calling("""
            try:
                await tools.add(1, 2)
            except TimeoutError as error:
                print(error)
            """) with { ToolCallTimeout = TimeSpan.FromMilliseconds(50) });
        Assert.Equal("The tool 'add' did not answer within 50 ms.\n", run.Stdout);
        waiting = sandbox.Start(Calling("await tools.add(1, 2)"));
        await WaitsAsync(sandbox, waiting.Id);
        await sandbox.Cove.KillRunAsync(sandbox.Id, waiting.Id);
        Assert.Equal(RunOutcome.Killed, (await waiting.Completion).Outcome);
        Assert.Equal("run_ended", (await RefusalAsync(() => sandbox.Cove.AnswerToolCallAsync(sandbox.Id, waiting.Id, "call_1", Sum(1)))).Code);
    }

    [Fact]
    public async Task Nothing_that_is_left_of_a_run_calls_in_the_next()
    {
        await using var sandbox = await SandboxAsync();
        var first = await AnsweredAsync(sandbox, Calling(FindChannel + """
            import asyncio, os, threading, time
            held, frame = tools.add, None
            def later():
                while not os.path.exists('/tmp/next'): time.sleep(0.01)
                try: asyncio.run(held(1, 2))
                except Exception as error: open('/tmp/thread', 'w').write(str(error))
                try: channel.call(1, 'add', '{"a":1,"b":2}')
                except Exception: pass
                open('/tmp/done', 'w').close()
            threading.Thread(target=later, daemon=True).start()
            if os.fork() == 0:
                while not os.path.exists('/tmp/next'): time.sleep(0.01)
                channel._pid = os.getpid()
                channel.call(1, 'add', '{"a":1,"b":2}')
                os._exit(0)
            """));
        AssertOk(first);
        var second = await AnsweredAsync(sandbox, Calling("""
            import os, time
            open('/tmp/next', 'w').close()
            while not os.path.exists('/tmp/done'): time.sleep(0.01)
            os.wait()
            open('/tmp/thread').read()
            """));
        Assert.Equal("'The run that could call this tool has ended.'", second.Value);
        Assert.Empty(second.Events.OfType<RunToolCall>());
    }

    [Theory]
    [InlineData("channel.call(1, 'other', '{}')")]
    [InlineData("channel.call(7, 'add', '{}')")]
    [InlineData("channel.call(1, 'add', 'x' * 300_000)")]
    [InlineData("for n in range(1, 1000): channel.call(n, 'add', '{\"a\":1,\"b\":2}')")]
    [InlineData("channel._run = b'\"' + b'0' * 32 + b'\"'\nchannel.call(1, 'add', '{}')")]
    public async Task Who_forges_calls_loses_its_own_kernel(string forgery)
    {
        await using var sandbox = await SandboxAsync();
        await using var other = await SandboxAsync();
        var untouched = other.Start(Calling("await tools.add(20, 1)"));
        await WaitsAsync(other, untouched.Id);
        var run = await sandbox.RunAsync(Calling(FindChannel + forgery + "\nimport time\ntime.sleep(60)"));
        AssertOutcome(RunOutcome.Killed, "guest_protocol_violation", run);
        Assert.True(run.Result.StateLost);
        Assert.Equal("2", (await sandbox.PythonAsync("1+1")).Value);
        await other.Cove.AnswerToolCallAsync(other.Id, untouched.Id, "call_1", Sum(21));
        Assert.Equal("21", (await untouched.Completion).Value);
    }

    [Fact]
    public async Task Guests_that_never_read_their_answers_end_like_any_other()
    {
        await using var sandbox = await SandboxAsync();
        var run = await AnsweredAsync(sandbox, Calling(FindChannel + """
            for n in range(1, 100): channel.call(n, 'add', '{"a":1,"b":2}')
            'done'
            """), _ => HostAnswer.Of(JsonSerializer.SerializeToElement(new string('x', 300_000))));
        Assert.Equal("'done'", run.Value);
        Assert.Equal("2", (await sandbox.PythonAsync("1+1")).Value);
    }

    [Fact]
    public async Task Other_languages_and_commands_refuse_tools_by_name()
    {
        await using var sandbox = await SandboxAsync();
        foreach (var request in new[] { Calling("ls") with { Language = Language.Bash }, Calling("1") with { Language = Language.JavaScript }, Calling("") with { Code = null, ShellLine = "ls" } })
        {
            var run = await sandbox.RunAsync(request);
            AssertOutcome(RunOutcome.Refused, "invalid_request", run);
            Assert.Contains("'tools'", run.Result.Error!.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Without_tools_the_name_says_so()
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.PythonAsync("await tools.add(1, 2)");
        AssertOutcome(RunOutcome.GuestError, "python_exception", run);
        Assert.Contains("This run has no tools", run.Result.Error!.Evidence!.ExceptionMessage, StringComparison.Ordinal);
    }

    private static HostAnswer Sum(double sum) => HostAnswer.Of(JsonSerializer.SerializeToElement(sum));

    private static async Task WaitsAsync(TestSandbox sandbox, RunId run) => await Hang.WatchAsync(
        Hang.UntilAsync(async () => await StartedAsync(sandbox, run) is { PendingToolCalls: not null }, "a tool call waits"));

    private static async Task<RunInfo?> StartedAsync(TestSandbox sandbox, RunId run)
    {
        try
        {
            return await sandbox.Cove.GetRunAsync(sandbox.Id, run);
        }
        catch (CoveException unknown) when (unknown.Error.Code == "run_not_found")
        {
            return null;
        }
    }

    /// <summary>Runs to the end and answers every call, by default with the sum.</summary>
    private static async Task<Finished> AnsweredAsync(TestSandbox sandbox, RunRequest request, Func<RunToolCall, HostAnswer>? answer = null)
    {
        answer ??= call => Sum(call.Arguments.GetProperty("a").GetDouble() + call.Arguments.GetProperty("b").GetDouble());
        var run = await sandbox.Cove.StartRunAsync(sandbox.Id, request);
        var events = new List<RunEvent>();
        var answering = new List<Task>();
        using var hang = new CancellationTokenSource(Hang.Limit, TimeProvider.System);
        await foreach (var next in sandbox.Cove.ReadRunAsync(sandbox.Id, run.Id, 0, hang.Token))
        {
            events.Add(next);
            if (next is RunToolCall call)
            {
                answering.Add(LateIsNoFaultAsync(sandbox.Cove.AnswerToolCallAsync(sandbox.Id, run.Id, call.CallId, answer(call))));
            }
        }

        await Hang.WatchAsync(Task.WhenAll(answering));
        return Finished.Checked(events);
    }

    private static async Task LateIsNoFaultAsync(Task answer)
    {
        try
        {
            await answer;
        }
        catch (CoveException late) when (late.Error.Code == "run_ended")
        {
            // The run did not wait for it.
        }
    }
}
