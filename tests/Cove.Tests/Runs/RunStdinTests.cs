using System.Text;
using Cove.Engine.Runs;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Runs;

public sealed class RunStdinTests
{
    private static readonly RunRequest Command = new() { ShellLine = "cat", KeepStdinOpen = true, Stdin = "first "u8.ToArray() };

    [Fact]
    public async Task A_command_reads_what_is_written_while_it_runs()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        var heard = new StringBuilder();
        cell.OnCommand = async command =>
        {
            var buffer = new byte[100];
            while (await command.In.ReadAsync(buffer, CancellationToken.None) is > 0 and var count)
            {
                heard.Append(Encoding.UTF8.GetString(buffer, 0, count));
            }

            command.Exit(0, null);
        };
        var run = await harness.Engine.StartRunAsync(id, Command);
        await harness.Engine.WriteStdinAsync(id, run.Id, "second "u8.ToArray());
        await harness.Engine.WriteStdinAsync(id, run.Id, "third"u8.ToArray(), close: true);
        var events = await Eventually.Within(harness.Engine.ReadRunAsync(id, run.Id).ToListAsync().AsTask());
        Assert.Equal(("first second third", RunOutcome.Ok), (heard.ToString(), ((RunCompleted)events[^1]).Result.Outcome));
        await AssertErrorAsync("run_ended", () => harness.Engine.WriteStdinAsync(id, run.Id, "x"u8.ToArray()));
        await AssertErrorAsync("run_not_found", () => harness.Engine.WriteStdinAsync(id, new RunId("r9"), "x"u8.ToArray()));
        await AssertErrorAsync("invalid_request", () => harness.Engine.WriteStdinAsync(id, run.Id, new byte[(1 << 20) + 1]));
    }

    [Fact]
    public async Task What_was_not_kept_open_is_closed()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.OnExecute = run => run.Interrupted;
        var run = await harness.Engine.StartRunAsync(id, new RunRequest { Code = "input()" });
        await AssertErrorAsync("stdin_closed", () => harness.Engine.WriteStdinAsync(id, run.Id, "x"u8.ToArray()));
        await AssertErrorAsync("invalid_request", () => harness.Engine.StartRunAsync(id, new RunRequest { Code = "x", KeepStdinOpen = true }));
    }

    [Fact]
    public async Task A_program_that_does_not_read_holds_nobody_up_for_ever()
    {
        var time = new FakeTimeProvider();
        var stdin = new RunStdin(new RunId("r1"), time);
        await stdin.WriteAsync(new byte[1 << 20], close: false, CancellationToken.None);
        var waiting = stdin.WriteAsync(new byte[1], close: false, CancellationToken.None);
        Assert.False(waiting.IsCompleted);
        time.Advance(RunStdin.Patience);
        await AssertErrorAsync("stdin_full", () => waiting);

        using var caller = new CancellationTokenSource();
        waiting = stdin.WriteAsync(new byte[1], close: false, caller.Token);
        await caller.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        waiting = stdin.WriteAsync(new byte[1], close: false, CancellationToken.None);
        stdin.End();
        await AssertErrorAsync("run_ended", () => waiting);
    }

    [Fact]
    public async Task What_either_side_closed_takes_nothing_more()
    {
        var stdin = new RunStdin(new RunId("r1"), TimeProvider.System);
        await stdin.WriteAsync(default, close: true, CancellationToken.None);
        await AssertErrorAsync("stdin_closed", () => stdin.WriteAsync(new byte[1], close: false, CancellationToken.None));
        stdin = new RunStdin(new RunId("r1"), TimeProvider.System);
        stdin.Refuse();
        await AssertErrorAsync("stdin_closed", () => stdin.WriteAsync(new byte[1], close: false, CancellationToken.None));
    }

    private static async Task AssertErrorAsync(string code, Func<Task> call) =>
        Assert.Equal(code, (await Eventually.Within(Assert.ThrowsAsync<CoveException>(call))).Error.Code);
}
