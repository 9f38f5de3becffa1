using Cove.Engine;
using Cove.Engine.Journal;
using Cove.Engine.Runs;
using Cove.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Cove.Tests.Runs;

/// <summary>Runs that are over, or have said something, before the engine has looked: they end as all others do.</summary>
public sealed class ShortRunTests : IAsyncLifetime
{
    private EngineHarness _harness = null!;
    private SandboxId _id;
    private FakeCell _cell = null!;

    public async ValueTask InitializeAsync()
    {
        _harness = await EngineHarness.StartAsync();
        (_id, _cell) = await _harness.CreateAsync();
        _cell.AnswersAtOnce = true;
    }

    public ValueTask DisposeAsync() => _harness.DisposeAsync();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_was_printed_first_is_told_first(bool atOnce)
    {
        var goesOn = new TaskCompletionSource();
        _cell.OnExecute = async run =>
        {
            await run.PrintAsync("first\n");
            await run.SendAsync($$"""{"t":"display","run":"{{run.Nonce}}","kind":"result","data":{"text/plain":"2"} }""");
            if (!atOnce)
            {
                await goesOn.Task;
                await run.PrintAsync("last");
            }

            await run.DoneAsync();
        };
        var running = RunAsync();
        goesOn.SetResult();
        var events = await running;
        string[] told = ["RunStarted", "RunOutput", "RunDisplay", .. atOnce ? Array.Empty<string>() : ["RunOutput"], "RunCompleted"];
        Assert.Equal(told, events.Select(e => e.GetType().Name));
        Assert.Equal(RunOutcome.Ok, Result(events).Outcome);
    }

    [Theory]
    [InlineData(StopAs.Kill, RunOutcome.Killed)]
    [InlineData(StopAs.Interrupt, RunOutcome.Ok)]
    public async Task Who_is_asked_to_stop_before_it_began_is_not_said_to_be_what_it_is_not(StopAs stop, RunOutcome outcome)
    {
        var wanted = new RunId("mine");
        _cell.BeforeSend = _ => (stop == StopAs.Kill ? _harness.Engine.KillRunAsync(_id, wanted) : _harness.Engine.InterruptRunAsync(_id, wanted)).GetAwaiter().GetResult();
        var result = Result(await RunAsync(wanted));
        Assert.Equal(outcome, result.Outcome);
        Assert.Equal((result.StateLost, stop == StopAs.Kill), (_cell.Kernels[0].Kills > 0, _cell.Kernels[0].Kills > 0));
    }

    [Fact]
    public async Task Whatever_is_told_next_the_start_is_written_before_it_and_once()
    {
        using var journals = new Journals(new EngineOptions { TemplatesDirectory = "/" }, TimeProvider.System, NullLogger.Instance);
        var log = new RunLog(RunId.New(), journals.Create(_id, null));
        var events = new RunEvents(log, TimeProvider.System);
        events.Start(log.Id, _id, "python");
        Assert.Null(log.Info);
        events.Notice("made_up", "The first that is written.");
        events.WriteStarted();
        events.Completed(new RunResult { Outcome = RunOutcome.Ok, Duration = default, Isolation = FakeCove.Tier });
        var told = await log.ReadAsync(0).ToListAsync();
        Assert.Equal(["RunStarted 1", "RunNotice 2", "RunCompleted 3"], told.Select(e => $"{e.GetType().Name} {e.Sequence}"));
    }

    [Fact]
    public async Task A_lie_told_at_once_costs_the_kernel_as_one_told_later()
    {
        _cell.OnExecute = run => run.SendRawAsync([0xFF, 0xFF, 0xFF, 0xFF]);
        var result = Result(await RunAsync());
        Assert.Equal((RunOutcome.Killed, true), (result.Outcome, result.StateLost));
        Assert.Equal(1, _cell.Kernels[0].Kills);
    }

    [Fact]
    public async Task A_kernel_that_ended_at_once_is_said_to_have_ended()
    {
        _cell.OnExecute = async run =>
        {
            await run.PrintAsync("last words");
            run.Kernel.Exit(3, null);
        };
        var events = await RunAsync();
        Assert.Equal("last words", Assert.Single(events.OfType<RunOutput>()).Text);
        Assert.Equal((3, true), (Result(events).ExitCode, Result(events).StateLost));
    }

    [Fact]
    public async Task More_than_is_shown_at_once_is_all_counted()
    {
        // The pipe of a fake holds 64 KiB: the rest comes while the run is watched as a long one.
        _cell.OnExecute = async run =>
        {
            await run.PrintAsync(new string('x', 3 << 20));
            await run.DoneAsync();
        };
        var events = await RunAsync();
        Assert.Equal(3 << 20, Result(events).StdoutBytes);
        Assert.Equal(1 << 20, events.OfType<RunOutput>().Sum(e => e.Text.Length));
    }

    [Fact]
    public async Task Its_kernel_serves_the_next_run()
    {
        for (var i = 0; i < 20; i++)
        {
            Assert.Equal(RunOutcome.Ok, Result(await RunAsync()).Outcome);
        }

        Assert.Single(_cell.Kernels);
        Assert.Equal((0, 0), (_cell.Kernels[0].Interrupts, _cell.Kernels[0].Kills));
    }

    public enum StopAs
    {
        Kill,
        Interrupt,
    }

    private Task<List<RunEvent>> RunAsync(RunId? id = null) => Eventually.Within(_harness.RunAsync(_id, new RunRequest { Code = "x", Id = id }));

    private static RunResult Result(List<RunEvent> events) => ((RunCompleted)events[^1]).Result;
}
