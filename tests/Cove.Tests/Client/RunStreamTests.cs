using System.Net.Sockets;
using Cove.Client;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Client;

public sealed class RunStreamTests : IAsyncLifetime
{
    private static readonly RunRequest Code = new() { Code = "1", Timeout = TimeSpan.FromSeconds(2) };
    private SocketServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await SocketServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Events_arrive_in_order_and_end_once()
    {
        var sandbox = await _server.SandboxAsync();
        _server.Cove.Run = async run =>
        {
            for (var i = 0; i < 5000; i++)
            {
                run.Print($"{i}\n");
                if (i % 1000 == 0)
                {
                    await Task.Yield();
                }
            }
        };

        var events = await _server.Client.RunAsync(sandbox, Code).ToListAsync();

        Assert.Equal(Enumerable.Range(1, 5002).Select(i => (long)i), events.Select(e => e.Sequence));
        Assert.Equal(string.Concat(Enumerable.Range(0, 5000).Select(i => $"{i}\n")), string.Concat(events.OfType<RunOutput>().Select(o => o.Text)));
        Assert.Equal(RunOutcome.Ok, Assert.IsType<RunCompleted>(events[^1]).Result.Outcome);
        Assert.Equal(TimeSpan.FromSeconds(2), _server.Cove.LastRun!.Timeout);
        Assert.NotNull(_server.Cove.LastRun.Id);
    }

    [Fact]
    public async Task A_large_display_arrives_whole()
    {
        var sandbox = await _server.SandboxAsync();
        var picture = Convert.ToBase64String(new byte[5 << 20]);
        _server.Cove.Run = run =>
        {
            run.Show(isResult: true, ("image/png", picture));
            return Task.CompletedTask;
        };

        var display = (await _server.Client.RunAsync(sandbox, Code).ToListAsync()).OfType<RunDisplay>().Single();
        Assert.Equal(picture, display.Data["image/png"]);
    }

    [Fact]
    public async Task Cancelling_interrupts_and_reads_on_to_the_end()
    {
        var sandbox = await _server.SandboxAsync();
        using var cancelled = new CancellationTokenSource();
        _server.Cove.Run = async run =>
        {
            run.Print("started");
            await run.Interrupted;
            run.Print("cleaning up");
            run.Result = FakeCoveRun.Ended(RunOutcome.Interrupted, 130);
        };

        var events = new List<RunEvent>();
        await using var client = _server.NewClient(time: new FakeTimeProvider()); // whose patience does not end
        await foreach (var next in client.RunAsync(sandbox, Code, cancelled.Token))
        {
            events.Add(next);
            if (next is RunOutput)
            {
                await cancelled.CancelAsync();
            }
        }

        Assert.Equal(["started", "cleaning up"], events.OfType<RunOutput>().Select(o => o.Text));
        Assert.Equal(RunOutcome.Interrupted, Assert.IsType<RunCompleted>(events[^1]).Result.Outcome);
        Assert.Equal(["interrupt"], _server.Cove.Calls);
    }

    [Fact]
    public async Task A_run_that_ignores_the_interrupt_is_killed()
    {
        var sandbox = await _server.SandboxAsync();
        var time = new FakeTimeProvider();
        await using var client = _server.NewClient(time: time);
        using var cancelled = new CancellationTokenSource();
        _server.Cove.Run = async run =>
        {
            run.Print("started");
            await run.Interrupted;
            await Eventually.Holds(() => time.Armed > 0, "the grace has begun");
            time.Advance(new CoveClientOptions().InterruptGrace);
            await run.Killed;
            run.Result = FakeCoveRun.Ended(RunOutcome.Killed, 137);
        };

        RunEvent? last = null;
        await foreach (var next in client.RunAsync(sandbox, Code, cancelled.Token))
        {
            last = next;
            await cancelled.CancelAsync();
        }

        Assert.Equal(RunOutcome.Killed, Assert.IsType<RunCompleted>(last).Result.Outcome);
        Assert.Equal(["interrupt", "kill"], _server.Cove.Calls);
    }

    [Fact]
    public async Task A_run_that_never_ends_is_given_up()
    {
        var sandbox = await _server.SandboxAsync();
        var time = new FakeTimeProvider();
        await using var client = _server.NewClient(time: time);
        using var cancelled = new CancellationTokenSource();
        var never = new TaskCompletionSource();
        _server.Cove.Run = _ => never.Task;
        var reading = client.RunAsync(sandbox, Code, cancelled.Token).ToListAsync().AsTask();
        await Eventually.Holds(() => _server.Cove.LastRun is not null, "the run has begun");
        await cancelled.CancelAsync();
        var last = (await time.AdvanceUntil(reading, TimeSpan.FromMilliseconds(50)))[^1];

        var result = Assert.IsType<RunCompleted>(last).Result;
        Assert.Equal((RunOutcome.InfrastructureFailure, "connection_lost"), (result.Outcome, result.Error!.Code));
        never.SetResult();
    }

    [Fact]
    public async Task Who_leaves_early_finds_the_run_ended()
    {
        var sandbox = await _server.SandboxAsync();
        var ended = false;
        _server.Cove.Run = async run =>
        {
            run.Print("started");
            await run.Interrupted;
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System);
            ended = true;
        };

        await using var client = _server.NewClient(time: new FakeTimeProvider()); // whose patience does not end
        await foreach (var next in client.RunAsync(sandbox, Code))
        {
            if (next is RunOutput)
            {
                break;
            }
        }

        Assert.True(ended);
        Assert.Equal(["interrupt"], _server.Cove.Calls);
    }

    [Fact]
    public async Task The_largest_standard_input_arrives()
    {
        var sandbox = await _server.SandboxAsync();
        var input = new byte[64 << 20];
        input[^1] = 7;
        await _server.Client.RunAsync(sandbox, Code with { Stdin = input }).ToListAsync();
        Assert.Equal((64 << 20, 7), (_server.Cove.LastRun!.Stdin!.Value.Length, _server.Cove.LastRun.Stdin.Value.Span[^1]));
    }

    [Fact]
    public async Task Cancelled_before_the_start_nothing_is_sent()
    {
        var sandbox = await _server.SandboxAsync();
        var events = await _server.Client.RunAsync(sandbox, Code, new CancellationToken(canceled: true)).ToListAsync();
        Assert.Equal(RunOutcome.Interrupted, Assert.IsType<RunCompleted>(Assert.Single(events)).Result.Outcome);
        Assert.Null(_server.Cove.LastRun);
    }

    [Fact]
    public async Task A_refused_run_ends_as_refused()
    {
        var events = await _server.Client.RunAsync(new SandboxId("sunknown"), Code).ToListAsync();
        var result = Assert.IsType<RunCompleted>(Assert.Single(events)).Result;
        Assert.Equal((RunOutcome.Refused, "sandbox_not_found"), (result.Outcome, result.Error!.Code));
    }

    [Fact]
    public async Task A_stream_without_its_last_event_is_a_failure_of_ours()
    {
        var sandbox = await _server.SandboxAsync();
        _server.Cove.Run = run =>
        {
            run.Print("half");
            run.Result = null;
            return Task.CompletedTask;
        };

        var events = await _server.Client.RunAsync(sandbox, Code).ToListAsync();
        Assert.Equal(RunOutcome.InfrastructureFailure, Assert.IsType<RunCompleted>(events[^1]).Result.Outcome);
        Assert.Equal(3, events[^1].Sequence);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"typ")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nContent-Length: 9\r\n\r\nnot json\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nContent-Length: 5\r\n\r\nnull\n")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")]
    [InlineData("garbage\r\n\r\n")]
    [InlineData("")]
    public async Task Whatever_the_other_end_sends_a_run_has_an_end(string answer)
    {
        var path = Path.Combine(Path.GetDirectoryName(_server.Socket)!, "liar.sock");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        var serve = Task.Run(async () =>
        {
            using var connection = await listener.AcceptAsync();
            await connection.ReceiveAsync(new byte[4096]);
            await connection.SendAsync(System.Text.Encoding.ASCII.GetBytes(answer));
        });
        await using var client = new CoveClient(new CoveClientOptions { UnixSocket = path });

        var events = await client.RunAsync(new SandboxId("s1"), Code).ToListAsync();

        Assert.Equal(RunOutcome.InfrastructureFailure, Assert.IsType<RunCompleted>(Assert.Single(events)).Result.Outcome);
        await serve;
    }
}
