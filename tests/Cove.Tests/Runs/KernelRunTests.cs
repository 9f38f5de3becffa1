using System.Text;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Runs;

/// <summary>Every way a run of code can end, each with exactly one terminal event.</summary>
public sealed class KernelRunTests
{
    private static string Text(IEnumerable<RunEvent> events, OutputStream stream) =>
        string.Concat(events.OfType<RunOutput>().Where(o => o.Stream == stream).Select(o => o.Text));

    private static async Task<(RunResult Result, List<RunEvent> Events, FakeCell Cell)> RunAsync(Func<GuestRun, Task> script, TimeSpan? timeout = null)
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.OnExecute = script;
        var events = await Eventually.Within(harness.RunAsync(id, new RunRequest { Code = "x", Timeout = timeout }));
        return (((RunCompleted)events[^1]).Result, events, cell);
    }

    [Fact]
    public async Task Code_that_runs_to_its_end_is_ok_and_all_it_printed_arrives()
    {
        var (result, events, _) = await RunAsync(async run =>
        {
            await run.PrintAsync("héllo\n");
            await run.PrintErrorAsync("oops");
            await run.SendAsync($$"""{"t":"display","run":"{{run.Nonce}}","kind":"result","data":{"text/plain":"2"} }""");
            await run.DoneAsync();
        });
        Assert.Equal(RunOutcome.Ok, result.Outcome);
        Assert.Equal(0, result.ExitCode);
        Assert.False(result.StateLost);
        Assert.Equal("héllo\n", Text(events, OutputStream.Stdout));
        Assert.Equal("oops", Text(events, OutputStream.Stderr));
        Assert.Equal("2", Assert.Single(events.OfType<RunDisplay>()).Data["text/plain"]);
        Assert.Equal(7, result.StdoutBytes);
        Assert.Equal(20 << 20, result.PeakMemoryBytes);
    }

    [Fact]
    public async Task That_it_started_is_told_first_also_when_the_guest_could_not_be_set_going()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.BeforeSend = _ => throw new IOException("made up");
        var events = await Eventually.Within(harness.RunAsync(id, new RunRequest { Code = "x" }));
        Assert.IsType<RunStarted>(events[0]);
        Assert.IsType<RunCompleted>(Assert.Single(events, e => e is not RunStarted and not RunNotice));
        Assert.Equal(Enumerable.Range(1, events.Count).Select(n => (long)n), events.Select(e => e.Sequence));
    }

    [Theory]
    [InlineData("ZeroDivisionError", "python_exception", RunOutcome.GuestError)]
    [InlineData("SyntaxError", "syntax_error", RunOutcome.GuestError)]
    [InlineData("ModuleNotFoundError", "module_not_found", RunOutcome.GuestError)]
    [InlineData("MemoryError", "memory_error", RunOutcome.OutOfMemory)]
    public async Task An_exception_is_the_codes_fault_and_keeps_the_state(string name, string code, RunOutcome outcome)
    {
        var (result, _, _) = await RunAsync(run => run.FailAsync(name, "why"));
        Assert.Equal(outcome, result.Outcome);
        Assert.Equal(code, result.Error!.Code);
        Assert.Equal(name, result.Error.Evidence!.ExceptionType);
        Assert.Equal(1, result.ExitCode);
        Assert.False(result.StateLost);
    }

    [Fact]
    public async Task A_missing_module_names_what_is_installed()
    {
        var (result, _, _) = await RunAsync(run => run.FailAsync("ModuleNotFoundError", "No module named 'torch'"));
        Assert.Contains("numpy, pandas", result.Error!.Remediation, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, RunOutcome.Ok)]
    [InlineData(3, RunOutcome.GuestError)]
    public async Task An_exit_has_its_own_code(int code, RunOutcome outcome)
    {
        var (result, _, _) = await RunAsync(run => run.SendAsync($$"""{"t":"done","run":"{{run.Nonce}}","status":"exit","exit_code":{{code}}}"""));
        Assert.Equal(outcome, result.Outcome);
        Assert.Equal(code, result.ExitCode);
    }

    [Fact]
    public async Task An_interrupt_that_nobody_asked_for_is_an_exception_of_the_code()
    {
        var (result, _, _) = await RunAsync(run => run.SayInterruptedAsync());
        Assert.Equal(RunOutcome.GuestError, result.Outcome);
        Assert.Equal("KeyboardInterrupt", result.Error!.Evidence!.ExceptionType);
    }

    [Fact]
    public async Task A_kernel_that_dies_is_said_so_and_the_next_run_gets_a_fresh_one()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.OnExecute = run =>
        {
            run.Kernel.Exit(null, 11);
            return Task.CompletedTask;
        };
        var died = await harness.ResultAsync(id, "crash");
        Assert.Equal(RunOutcome.Killed, died.Outcome);
        Assert.Equal("kernel_died", died.Error!.Code);
        Assert.Equal("SIGSEGV", died.Error.Evidence!.Signal);
        Assert.Equal(139, died.ExitCode);
        Assert.True(died.StateLost);

        cell.OnExecute = run => run.DoneAsync();
        var events = await harness.RunAsync(id, new RunRequest { Code = "1" });
        Assert.Equal("kernel_restarted", Assert.Single(events.OfType<RunNotice>()).Code);
        Assert.Equal(1, Assert.Single(await harness.Engine.ListKernelsAsync(id)).Restarts);
        Assert.Empty((await harness.RunAsync(id, new RunRequest { Code = "1" })).OfType<RunNotice>());
    }

    [Fact]
    public async Task A_kernel_killed_at_the_memory_limit_ran_out_of_memory()
    {
        var (result, _, _) = await RunAsync(run =>
        {
            var cell = Cell(run);
            cell.Usage = cell.Usage with { OomKills = 1 };
            run.Kernel.Exit(null, 9);
            return Task.CompletedTask;
        });
        Assert.Equal(RunOutcome.OutOfMemory, result.Outcome);
        Assert.Equal("memory_limit_exceeded", result.Error!.Code);
        Assert.True(result.StateLost);
        Assert.Equal(137, result.ExitCode);
    }

    [Theory]
    [InlineData(false, 0, RunOutcome.Killed, "sandbox_died")]
    [InlineData(false, 1, RunOutcome.OutOfMemory, "memory_limit_exceeded")]
    [InlineData(true, 0, RunOutcome.InfrastructureFailure, "backend_failed")]
    public async Task A_cell_that_dies_ends_its_runs_with_the_cause(bool byBackend, int oomKills, RunOutcome outcome, string code)
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.OnExecute = _ =>
        {
            cell.Usage = cell.Usage with { OomKills = oomKills };
            cell.Die(byBackend, "detail");
            return Task.CompletedTask;
        };
        var result = await harness.ResultAsync(id, "die");
        Assert.Equal(outcome, result.Outcome);
        Assert.Equal(code, result.Error!.Code);
        await Eventually.Holds(() => harness.Engine.GetSandboxAsync(id).Result.State == SandboxState.Ended, "the sandbox ended");
        Assert.Equal(byBackend ? SandboxEndReason.InfrastructureFailure : SandboxEndReason.Died, (await harness.Engine.GetSandboxAsync(id)).EndReason);
        Assert.Equal(RunOutcome.Refused, (await harness.ResultAsync(id, "again")).Outcome);
    }

    public static TheoryData<string> Lies =>
    [
        """{"t":"done","run":"00000000000000000000000000000000","status":"ok"}""",
        """{"t":"done","status":"ok"}""",
        """{"t":"done","run":"$","status":"great"}""",
        """{"t":"done","run":"$","status":"error"}""",
        """{"t":"unknown","run":"$"}""",
        """{"t":"display","run":"$","kind":"display","data":{"a":1}}""",
        """{"t":"display","run":"$","kind":"display","data":{},"parts":{"a":7}}""",
        """[1,2]""",
        """{"t":"done","run":"$","status":"ok"} trailing""",
        """{"t":["done"],"run":"$"}""",
        """not json""",
    ];

    [Theory]
    [MemberData(nameof(Lies))]
    public async Task A_forged_frame_kills_the_kernel(string lie)
    {
        var (result, _, cell) = await RunAsync(run => run.SendAsync(lie.Replace("$", run.Nonce, StringComparison.Ordinal)));
        Assert.Equal(RunOutcome.Killed, result.Outcome);
        Assert.Equal("guest_protocol_violation", result.Error!.Code);
        Assert.True(result.StateLost);
        Assert.Equal(1, cell.Kernels[0].Kills);
    }

    [Theory]
    [InlineData(new byte[] { 0, 0, 0, 0 })]
    [InlineData(new byte[] { 0xff, 0xff, 0xff, 0xff })]
    [InlineData(new byte[] { 0, 0x10, 0, 1 })]
    public async Task An_impossible_length_kills_the_kernel(byte[] bytes)
    {
        var (result, _, _) = await RunAsync(run => run.SendRawAsync(bytes));
        Assert.Equal("guest_protocol_violation", result.Error!.Code);
    }

    [Fact]
    public async Task A_kernel_that_closes_its_result_channel_and_lives_is_killed()
    {
        var time = new FakeTimeProvider();
        await using var harness = await EngineHarness.StartAsync(time: time);
        var (id, cell) = await harness.CreateAsync();
        cell.OnExecute = async run =>
        {
            await run.SendRawAsync([0, 0, 0, 50, 1]);
            run.Channels.Results.CloseWriter();
        };
        var result = await time.AdvanceUntil(harness.ResultAsync(id, "x", TimeSpan.FromMinutes(5)), TimeSpan.FromMilliseconds(100));
        Assert.Equal("guest_protocol_violation", result.Error!.Code);
        Assert.Contains("middle of a frame", result.Error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_kernel_that_closed_its_control_link_is_killed_and_replaced()
    {
        var time = new FakeTimeProvider();
        await using var harness = await EngineHarness.StartAsync(time: time);
        var (id, cell) = await harness.CreateAsync();
        cell.ControlClosed = true;
        var result = await time.AdvanceUntil(harness.ResultAsync(id, "x", TimeSpan.FromMinutes(5)), TimeSpan.FromMilliseconds(100));
        Assert.Equal(RunOutcome.Killed, result.Outcome);
        cell.ControlClosed = false;
        Assert.Equal(RunOutcome.Ok, (await harness.ResultAsync(id, "x")).Outcome);
    }

    [Fact]
    public async Task What_a_dying_kernel_said_last_is_still_heard()
    {
        var (result, events, _) = await RunAsync(async run =>
        {
            await run.PrintAsync("last words");
            await run.DoneAsync();
            run.Kernel.Exit(0, null);
        });
        Assert.Equal(RunOutcome.Ok, result.Outcome);
        Assert.Equal("last words", Text(events, OutputStream.Stdout));
    }

    [Fact]
    public async Task A_child_that_keeps_the_pipes_open_does_not_hold_the_run()
    {
        // The kernel never closes its ends; done alone ends the run, and what was flushed before it is there.
        var (result, events, cell) = await RunAsync(async run =>
        {
            await run.PrintAsync(new string('a', 50_000));
            await run.DoneAsync();
        });
        Assert.Equal(RunOutcome.Ok, result.Outcome);
        Assert.Equal(50_000, Text(events, OutputStream.Stdout).Length);
        Assert.True(cell.Kernels[0].Current!.Channels.Out.ReaderClosed);
    }

    [Fact]
    public async Task Bytes_that_are_no_UTF8_and_sequences_split_between_reads_survive()
    {
        var (_, events, _) = await RunAsync(async run =>
        {
            var euro = Encoding.UTF8.GetBytes("€");
            await run.Channels.Out.WriteAsync(euro.AsMemory(0, 1));
            await Eventually.BreatheAsync();
            await run.Channels.Out.WriteAsync(euro.AsMemory(1));
            await run.Channels.Out.WriteAsync(new byte[] { 0xff, 0, (byte)'x', 0xc3 });
            await run.DoneAsync();
        });
        Assert.Equal("€\ufffd\0x\ufffd", Text(events, OutputStream.Stdout));
    }

    [Fact]
    public async Task A_second_run_in_a_busy_kernel_is_refused_and_another_kernel_takes_it()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        var release = new TaskCompletionSource();
        cell.OnExecute = async run =>
        {
            if (run.Code == "long")
            {
                await release.Task;
            }

            await run.DoneAsync();
        };
        var first = harness.ResultAsync(id, "long");
        await Eventually.Holds(() => cell.Kernels[0].Current is not null, "the first run is in the kernel");
        var second = await harness.ResultAsync(id, "short");
        Assert.Equal(RunOutcome.Refused, second.Outcome);
        Assert.Equal("kernel_busy", second.Error!.Code);
        Assert.True((await harness.Engine.ListKernelsAsync(id))[0].Busy);
        var other = await harness.RunAsync(id, new RunRequest { Code = "short", Kernel = "second" });
        Assert.Equal(RunOutcome.Ok, ((RunCompleted)other[^1]).Result.Outcome);
        release.SetResult();
        Assert.Equal(RunOutcome.Ok, (await first).Outcome);
        Assert.Equal(RunOutcome.Ok, (await harness.ResultAsync(id, "short")).Outcome);
    }

    [Fact]
    public async Task A_language_that_is_not_installed_says_what_to_install()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, _) = await harness.CreateAsync();
        var events = await harness.RunAsync(id, new RunRequest { Code = "1", Language = Language.JavaScript });
        var result = ((RunCompleted)events[^1]).Result;
        Assert.Equal("language_unavailable", result.Error!.Code);
        Assert.Contains("nodejs", result.Error.Remediation, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"t":"hello","generation":3,"language":"bash","version":"5"}""")]
    [InlineData("""{"t":"hello","generation":1,"language":"python","version":"5"}""")]
    [InlineData("""{"t":"hi"}""")]
    [InlineData("nonsense")]
    public async Task A_kernel_with_a_wrong_hello_is_not_used(string hello)
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.Hello = _ => hello;
        var events = await Eventually.Within(harness.RunAsync(id, new RunRequest { Code = "1", Language = Language.Bash }));
        var result = ((RunCompleted)events[^1]).Result;
        Assert.Equal(RunOutcome.InfrastructureFailure, result.Outcome);
        Assert.Equal("kernel_start_failed", result.Error!.Code);
        Assert.Equal(1, cell.Kernel.Kills);
    }

    [Fact]
    public async Task A_kernel_that_says_nothing_is_given_ten_seconds()
    {
        var time = new FakeTimeProvider();
        await using var harness = await EngineHarness.StartAsync(time: time);
        var (id, cell) = await harness.CreateAsync();
        cell.Hello = null;
        var run = harness.RunAsync(id, new RunRequest { Code = "1", Language = Language.Bash });
        var events = await time.AdvanceUntil(run, TimeSpan.FromSeconds(1));
        Assert.Equal("kernel_start_failed", ((RunCompleted)events[^1]).Result.Error!.Code);
    }

    private static FakeCell Cell(GuestRun run) => run.Kernel.Cell;
}
