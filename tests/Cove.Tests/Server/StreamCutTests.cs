using System.Text.Json;
using Cove.Client;
using Cove.Tests.Support;
using Cove.Wire;
using Xunit;

namespace Cove.Tests.Server;

/// <summary>Streams that break anywhere: what the client joins is what the journal has, whatever the cuts.</summary>
public sealed class StreamCutTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public async Task A_run_whose_stream_is_cut_again_and_again_is_read_whole(int seed)
    {
        var random = new Random(seed);
        await using var harness = await EngineHarness.StartAsync();
        await using var server = await SocketServer.StartAsync(engine: harness.Engine);
        await using var proxy = new CuttingProxy(server.Socket, () => random.Next(4) == 0 ? random.Next(1, 300) : random.Next(1000, 6000));
        await using var client = new CoveClient(new CoveClientOptions { Server = proxy.Address });
        var (id, cell) = await harness.CreateAsync();
        var begun = 0;
        cell.OnExecute = async run =>
        {
            Interlocked.Increment(ref begun);
            var guest = new Random(seed);
            for (var i = 0; i < 60; i++)
            {
                await (guest.Next(3) switch
                {
                    0 => run.PrintErrorAsync(new string('e', guest.Next(1, 400)) + "ü\n"),
                    1 => run.SendAsync($$"""{"t":"display","run":"{{run.Nonce}}","kind":"display","data":{"text/plain":"{{i}}"} }"""),
                    _ => run.PrintAsync($"line {i}\n"),
                });
                await Eventually.BreatheAsync();
            }

            await run.DoneAsync();
        };
        var request = new RunRequest { Code = "x", Id = RunId.New() };

        var joined = await Eventually.Within(client.RunAsync(id, request).ToListAsync().AsTask());

        EngineHarness.CheckShape(joined);
        Assert.Equal(Lines(await harness.Engine.ReadRunAsync(id, request.Id!.Value).ToListAsync()), Lines(joined));
        Assert.Equal(1, begun);
        Assert.True(proxy.Cuts > 0);
        Assert.Equal(Lines(joined), Lines(await Eventually.Within(client.ReadRunAsync(id, request.Id.Value).ToListAsync().AsTask())));
    }

    [Fact]
    public async Task A_request_whose_answer_is_lost_is_not_run_twice()
    {
        await using var harness = await EngineHarness.StartAsync();
        await using var server = await SocketServer.StartAsync(engine: harness.Engine);
        var connections = 0;
        await using var proxy = new CuttingProxy(server.Socket, () => connections++ == 0 ? 1 : int.MaxValue);
        await using var client = new CoveClient(new CoveClientOptions { Server = proxy.Address });
        var (id, cell) = await harness.CreateAsync();
        var begun = 0;
        cell.OnExecute = run =>
        {
            Interlocked.Increment(ref begun);
            return run.DoneAsync();
        };
        var events = await Eventually.Within(client.RunAsync(id, new RunRequest { Code = "x" }).ToListAsync().AsTask());
        EngineHarness.CheckShape(events);
        Assert.Equal((1, RunOutcome.Ok), (begun, ((RunCompleted)events[^1]).Result.Outcome));
    }

    [Fact]
    public async Task A_server_that_does_not_come_back_is_given_up_after_the_limit()
    {
        var time = new FakeTimeProvider();
        await using var harness = await EngineHarness.StartAsync();
        await using var server = await SocketServer.StartAsync(engine: harness.Engine);
        var proxy = new CuttingProxy(server.Socket, () => int.MaxValue);
        await using var client = new CoveClient(new CoveClientOptions { Server = proxy.Address, Time = time, ResumeLimit = TimeSpan.FromSeconds(30) });
        var (id, cell) = await harness.CreateAsync();
        cell.OnExecute = run => run.Interrupted;
        await using var reader = client.RunAsync(id, new RunRequest { Code = "x" }).GetAsyncEnumerator();
        Assert.True(await Eventually.Within(reader.MoveNextAsync().AsTask()));
        await proxy.DisposeAsync();
        Assert.True(await time.AdvanceUntil(reader.MoveNextAsync().AsTask(), TimeSpan.FromMilliseconds(100)));
        var result = Assert.IsType<RunCompleted>(reader.Current).Result;
        Assert.Equal((RunOutcome.InfrastructureFailure, "connection_lost"), (result.Outcome, result.Error!.Code));
        Assert.Null((await harness.Engine.ListRunsAsync(id))[0].Result); // and it goes on
    }

    [Fact]
    public async Task Cancelling_still_interrupts_a_run_that_may_be_resumed()
    {
        await using var harness = await EngineHarness.StartAsync();
        await using var server = await SocketServer.StartAsync(engine: harness.Engine);
        await using var proxy = new CuttingProxy(server.Socket, () => int.MaxValue);
        await using var client = new CoveClient(new CoveClientOptions { Server = proxy.Address });
        var (id, cell) = await harness.CreateAsync();
        cell.OnExecute = async run =>
        {
            await run.Interrupted;
            await run.SayInterruptedAsync();
        };
        using var caller = new CancellationTokenSource();
        RunEvent? last = null;
        await foreach (var next in client.RunAsync(id, new RunRequest { Code = "x" }, caller.Token))
        {
            last = next;
            await caller.CancelAsync();
        }

        Assert.Equal(RunOutcome.Interrupted, Assert.IsType<RunCompleted>(last).Result.Outcome);
    }

    private static string Lines(IEnumerable<RunEvent> events) => string.Join('\n', events.Select(e => JsonSerializer.Serialize(e, CoveJson.Wire.RunEvent)));
}
