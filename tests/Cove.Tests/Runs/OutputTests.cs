using Cove.Engine.Runs;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Runs;

/// <summary>The output budget: what is shown, what is cut, where the rest is, and when a run is stopped for it.</summary>
public sealed class OutputTests
{
    private const int Mebibyte = 1 << 20;

    private static async Task FloodAsync(GuestRun run, long bytes)
    {
        var piece = new byte[64 << 10];
        piece.AsSpan().Fill((byte)'a');
        for (var sent = 0L; sent < bytes && !run.Channels.Out.ReaderClosed; sent += piece.Length)
        {
            await run.Channels.Out.WriteAsync(piece.AsMemory(0, (int)Math.Min(piece.Length, bytes - sent)));
        }
    }

    private static async Task<(List<RunEvent> Events, FakeCell Cell, RunResult Result)> RunAsync(Func<GuestRun, Task> script, FakeFileWorker? worker = null)
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        cell.FileWorker = () => worker ?? new FakeFileWorker();
        cell.OnExecute = script;
        var events = await Eventually.Within(harness.RunAsync(id, new RunRequest { Code = "x", Id = new RunId("abc") }));
        return (events, cell, ((RunCompleted)events[^1]).Result);
    }

    [Fact]
    public async Task Up_to_the_budget_everything_is_shown_and_nothing_is_said()
    {
        var (events, cell, _) = await RunAsync(async run =>
        {
            await FloodAsync(run, Mebibyte);
            await run.DoneAsync();
        });
        Assert.Empty(events.OfType<RunNotice>());
        Assert.Equal(Mebibyte, events.OfType<RunOutput>().Sum(o => o.Text.Length));
        Assert.Equal(0, cell.FileWorkersStarted);
    }

    [Fact]
    public async Task Over_the_budget_the_stream_is_cut_with_notices_and_the_rest_is_in_a_file()
    {
        var worker = new FakeFileWorker();
        var (events, _, result) = await RunAsync(
            async run =>
            {
                await FloodAsync(run, Mebibyte + 12_345);
                await run.DoneAsync();
            },
            worker);
        Assert.Equal(RunOutcome.Ok, result.Outcome);
        Assert.Equal(Mebibyte + 12_345, result.StdoutBytes);
        Assert.Equal(Mebibyte, events.OfType<RunOutput>().Sum(o => o.Text.Length));
        var notices = events.OfType<RunNotice>().ToArray();
        Assert.Equal(["output_cut", "output_cut"], notices.Select(n => n.Code));
        Assert.Contains("12,345 were cut", notices[1].Message, StringComparison.Ordinal);
        Assert.Contains("/tmp/.cove/abc.stdout", notices[1].Message, StringComparison.Ordinal);
        Assert.Equal(12_345, new FileInfo(Path.Combine(worker.Root, "tmp_.cove_abc.stdout")).Length);
        Directory.Delete(worker.Root, recursive: true);
    }

    [Fact]
    public async Task A_file_that_cannot_be_written_only_ends_the_saving()
    {
        var (events, _, result) = await RunAsync(
            async run =>
            {
                await FloodAsync(run, 2 * Mebibyte);
                await run.DoneAsync();
            },
            new FakeFileWorker { Script = _ => ["\"ok\":false,\"code\":\"no_space\",\"message\":\"full\""] });
        Assert.Equal(RunOutcome.Ok, result.Outcome);
        Assert.Contains("could not be saved (no_space)", events.OfType<RunNotice>().Last().Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Over_64_MiB_the_run_is_interrupted_and_its_file_is_bounded()
    {
        var worker = new FakeFileWorker();
        var (_, _, result) = await RunAsync(
            async run =>
            {
                while (!run.Interrupted.IsCompleted)
                {
                    await FloodAsync(run, Mebibyte);
                }

                await run.SayInterruptedAsync();
            },
            worker);
        Assert.Equal(RunOutcome.OutputLimit, result.Outcome);
        Assert.Equal("output_limit_exceeded", result.Error!.Code);
        Assert.False(result.StateLost);
        Assert.Equal(16 * Mebibyte, new FileInfo(Path.Combine(worker.Root, "tmp_.cove_abc.stdout")).Length);
        Directory.Delete(worker.Root, recursive: true);
    }

    [Fact]
    public async Task A_reader_that_stopped_reading_holds_nothing_up_and_loses_nothing()
    {
        await using var harness = await EngineHarness.StartAsync();
        var (id, cell) = await harness.CreateAsync();
        var ended = new TaskCompletionSource();
        cell.OnExecute = async run =>
        {
            await FloodAsync(run, Mebibyte);
            await run.DoneAsync();
            ended.SetResult();
        };
        await using var reader = harness.Engine.RunAsync(id, new RunRequest { Code = "x" }).GetAsyncEnumerator();
        Assert.True(await reader.MoveNextAsync());
        await Eventually.Within(ended.Task); // and nothing of it was read
        var events = new List<RunEvent> { reader.Current };
        while (await reader.MoveNextAsync())
        {
            events.Add(reader.Current);
        }

        EngineHarness.CheckShape(events);
        Assert.Equal(Mebibyte, events.OfType<RunOutput>().Sum(o => o.Text.Length));
    }

    [Fact]
    public async Task Many_small_writes_are_paced_and_large_ones_are_not()
    {
        var time = new FakeTimeProvider();
        var pace = new OutputPace(time);
        for (var i = 0; i < 1024; i++)
        {
            Assert.True(pace.AfterAsync(1, CancellationToken.None).AsTask().IsCompleted);
        }

        var held = pace.AfterAsync(1, CancellationToken.None).AsTask();
        Assert.False(held.IsCompleted);
        time.Advance(TimeSpan.FromMilliseconds(10));
        await Eventually.Within(held);
        Assert.True(pace.AfterAsync(64 << 10, CancellationToken.None).AsTask().IsCompleted);
        using var ended = new CancellationTokenSource();
        held = pace.AfterAsync(1, ended.Token).AsTask();
        Assert.False(held.IsCompleted);
        await ended.CancelAsync(); // the end of the run waits for no pause
        await Eventually.Within(held);
    }

    [Fact]
    public async Task Values_over_the_display_budget_are_dropped_with_one_notice()
    {
        var big = new string('x', 900_000);
        var (events, _, result) = await RunAsync(async run =>
        {
            for (var i = 0; i < 25; i++)
            {
                await run.SendAsync($$"""{"t":"display","run":"{{run.Nonce}}","kind":"display","data":{"text/plain":"{{big}}"} }""");
            }

            await run.DoneAsync();
        });
        Assert.Equal(RunOutcome.Ok, result.Outcome);
        Assert.Equal(18, events.OfType<RunDisplay>().Count());
        Assert.Equal("display_cut", Assert.Single(events.OfType<RunNotice>()).Code);
    }

    [Fact]
    public async Task A_flood_of_frames_is_stopped()
    {
        var (_, _, result) = await RunAsync(async run =>
        {
            while (!run.Interrupted.IsCompleted && !run.Channels.Results.ReaderClosed)
            {
                await run.SendAsync($$"""{"t":"notice","run":"{{run.Nonce}}","code":"c","message":"m"}""");
            }

            await run.SayInterruptedAsync();
        });
        Assert.Equal(RunOutcome.OutputLimit, result.Outcome);
    }

    [Fact]
    public async Task A_value_in_pieces_is_joined()
    {
        var (events, _, _) = await RunAsync(async run =>
        {
            await run.SendAsync($$"""{"t":"part","run":"{{run.Nonce}}","id":4,"data":"abc"}""");
            await run.SendAsync($$"""{"t":"part","run":"{{run.Nonce}}","id":4,"data":"def"}""");
            await run.SendAsync($$"""{"t":"display","run":"{{run.Nonce}}","kind":"display","data":{"text/plain":"t"},"parts":{"image/png":4} }""");
            await run.DoneAsync();
        });
        var display = Assert.Single(events.OfType<RunDisplay>());
        Assert.Equal(("abcdef", "t", false), (display.Data["image/png"], display.Data["text/plain"], display.IsResult));
    }
}
