using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Conformance;

public abstract class StreamConformance(BackendUnderTest backend) : ConformanceSuite(backend)
{
    [Fact]
    public async Task A_slow_reader_loses_nothing()
    {
        await using var sandbox = await SandboxAsync();
        // Many small writes: many events, and then pieces of several.
        var request = new RunRequest { Code = "import os\nfor i in range(5000): os.write(1, b'%d\\n' % i)", Timeout = TimeSpan.FromSeconds(60) };
        var events = new List<RunEvent>();
        await foreach (var next in sandbox.Cove.RunAsync(sandbox.Id, request))
        {
            events.Add(next);
            if (events.Count % 64 == 0)
            {
                AssertOk(await sandbox.ShellAsync("true")); // the reader has other things to do
            }
        }

        var run = Finished.Checked(events);
        AssertOk(run);
        Assert.Equal(string.Concat(Enumerable.Range(0, 5000).Select(i => $"{i}\n")), run.Stdout);
    }

    [Fact]
    public async Task A_program_that_writes_a_byte_at_a_time_makes_few_events()
    {
        await using var sandbox = await SandboxAsync();
        var run = await sandbox.PythonAsync("import os\nfor i in range(100_000): os.write(1, b'a')");
        AssertOk(run);
        Assert.Equal(100_000, run.Stdout.Length);
        Assert.InRange(run.Events.Count, 3, 20_000);
    }

    [Fact]
    public async Task A_reader_that_never_reads_cannot_keep_a_run_beyond_its_wall_time()
    {
        await using var sandbox = await SandboxAsync();
        var request = new RunRequest { Code = "while True: print('x' * 1000)", Timeout = TimeSpan.FromMilliseconds(500) };
        await using var reader = sandbox.Cove.RunAsync(sandbox.Id, request).GetAsyncEnumerator();
        Assert.True(await Hang.WatchAsync(reader.MoveNextAsync().AsTask())); // started; and now nothing is read
        await Hang.UntilAsync(async () => !(await sandbox.Cove.ListKernelsAsync(sandbox.Id)).Single().Busy, "the kernel is free again");
        var events = new List<RunEvent> { reader.Current };
        while (await Hang.WatchAsync(reader.MoveNextAsync().AsTask()))
        {
            events.Add(reader.Current);
        }

        Assert.Contains(Finished.Checked(events).Outcome, new[] { RunOutcome.TimedOut, RunOutcome.OutputLimit });
    }

    [Fact]
    public async Task Who_stops_reading_interrupts_the_run_and_the_state_is_kept()
    {
        await using var sandbox = await SandboxAsync();
        AssertOk(await sandbox.PythonAsync("kept = 7"));
        await foreach (var next in sandbox.Cove.RunAsync(sandbox.Id, new RunRequest { Code = "print('in')\nwhile True: pass" }))
        {
            if (next is RunOutput)
            {
                break;
            }
        }

        Assert.Equal("7", (await sandbox.PythonAsync("kept")).Value);
    }

    [Fact]
    public async Task A_cancelled_run_is_read_to_its_end_and_keeps_the_state()
    {
        await using var sandbox = await SandboxAsync();
        AssertOk(await sandbox.PythonAsync("kept = 7"));
        using var caller = new CancellationTokenSource();
        var run = sandbox.Start(new RunRequest { Code = "print('in')\nwhile True: pass" }, caller.Token);
        await run.SaidAsync("in");
        await caller.CancelAsync();
        AssertOutcome(RunOutcome.Interrupted, "interrupted", await run.Completion);
        Assert.Equal("7", (await sandbox.PythonAsync("kept")).Value);
    }

    [Fact]
    public async Task A_token_cancelled_from_the_start_still_gets_a_terminal_event()
    {
        await using var sandbox = await SandboxAsync();
        using var caller = new CancellationTokenSource();
        await caller.CancelAsync();
        var run = await sandbox.RunAsync(new RunRequest { Code = "while True: pass" }, caller.Token);
        AssertOutcome(RunOutcome.Interrupted, "interrupted", run);
        Assert.Equal("2", (await sandbox.PythonAsync("1 + 1")).Value);
    }

    [Fact]
    public async Task Times_never_go_back_and_the_first_event_names_the_run()
    {
        await using var sandbox = await SandboxAsync();
        var id = RunId.New();
        var run = await sandbox.RunAsync(new RunRequest { Code = "for i in range(100): print(i, flush=True)\ndisplay(1)\n2", Id = id });
        var started = Assert.IsType<RunStarted>(run.Events[0]);
        Assert.Equal((id, sandbox.Id, "python"), (started.Run, started.Sandbox, started.Kernel));
        Assert.Equal(run.Events.Select(e => e.Time).Order(), run.Events.Select(e => e.Time));
    }
}
