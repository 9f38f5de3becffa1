using Cove.Client;
using Cove.Server.Hosting;
using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Server;

public sealed class EngineLifeTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(2);

    [Fact]
    public async Task An_idle_engine_ends_by_itself()
    {
        await using var server = await SocketServer.StartAsync(idleLimit: TimeSpan.FromMilliseconds(200));
        await server.RunAsync().WaitAsync(Soon);
    }

    [Fact]
    public async Task A_sandbox_keeps_it_alive_and_asking_how_it_is_does_not()
    {
        await using var server = await SocketServer.StartAsync(idleLimit: TimeSpan.FromMilliseconds(300));
        var sandbox = await server.Client.CreateSandboxAsync(new SandboxRequest());
        var running = server.RunAsync();

        await Task.WhenAny(running, Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System));
        Assert.False(running.IsCompleted);
        Assert.Equal(1, (await server.Client.GetEngineAsync()).Sandboxes);

        await server.Client.DeleteSandboxAsync(sandbox.Id);
        using var asking = new PeriodicTimer(TimeSpan.FromMilliseconds(20), TimeProvider.System);
        while (!running.IsCompleted && await asking.WaitForNextTickAsync())
        {
            await server.Client.GetEngineAsync();
        }

        await running;
    }

    [Fact]
    public async Task It_stops_when_asked()
    {
        await using var server = await SocketServer.StartAsync();
        var running = server.RunAsync();
        await server.Client.StopEngineAsync();
        await running.WaitAsync(Soon);

        var late = await Assert.ThrowsAsync<CoveException>(() => server.Client.CreateSandboxAsync(new SandboxRequest()));
        Assert.Equal("engine_stopping", late.Error.Code);
        Assert.True(late.Error.Retryable);
    }

    [Fact]
    public async Task Asked_to_stop_when_idle_it_lets_its_sandboxes_end_first()
    {
        await using var server = await SocketServer.StartAsync();
        var sandbox = await server.Client.CreateSandboxAsync(new SandboxRequest());
        var running = server.RunAsync();
        await server.Client.StopEngineAsync(whenIdle: true);

        var another = await server.Client.CreateSandboxAsync(new SandboxRequest());
        await server.Client.DeleteSandboxAsync(sandbox.Id);
        Assert.True((await server.Client.GetEngineAsync()).Stopping);
        Assert.False(running.IsCompleted);

        await server.Client.DeleteSandboxAsync(another.Id);
        await running.WaitAsync(Soon);
    }

    [Fact]
    public async Task A_run_in_progress_gets_its_one_end_before_the_connection_is_closed()
    {
        var directory = TemporaryPlace.Make();
        var socket = Path.Combine(directory.FullName, "engine.sock");
        var cove = new FakeCove();
        var engine = new Engine();
        cove.Run = async run =>
        {
            run.Print("started");
            await engine.Disposed.Task;
            run.Result = FakeCoveRun.Ended(RunOutcome.Killed, 137, FakeCove.Error("sandbox_ended", ErrorCategory.Caller).Error);
        };
        var host = await EngineHost.StartAsync(cove, new EngineHostOptions { SocketPath = socket, Build = "build1", Isolation = FakeCove.Tier, OwnUser = global::Cove.Cli.Libc.EffectiveUser() });
        await using var client = new CoveClient(new CoveClientOptions { UnixSocket = socket });
        var sandbox = await client.CreateSandboxAsync(new SandboxRequest());
        var running = host.RunAsync();
        var events = new List<RunEvent>();
        Task? ended = null;
        await foreach (var next in client.RunAsync(sandbox.Id, new RunRequest { Code = "1" }))
        {
            events.Add(next);
            if (next is RunOutput)
            {
                await client.StopEngineAsync();
                await running.WaitAsync(Soon);
                ended = EndAsync();
            }
        }

        Assert.Equal("sandbox_ended", Assert.Single(events.OfType<RunCompleted>()).Result.Error!.Code);
        await ended!.WaitAsync(Soon);
        Assert.False(File.Exists(socket));
        directory.Delete(recursive: true);

        async Task EndAsync()
        {
            await host.EndAsync(engine);
            await host.DisposeAsync();
        }
    }

    [Fact]
    public async Task An_engine_that_leaves_gives_no_sign_of_life()
    {
        await using var server = await SocketServer.StartAsync(idleLimit: TimeSpan.FromMilliseconds(100));
        await server.RunAsync().WaitAsync(Soon);
        Assert.Equal("http_503", (await Assert.ThrowsAsync<CoveException>(() => server.Client.PingAsync())).Error.Code);
        Assert.Equal("engine_stopping", (await Assert.ThrowsAsync<CoveException>(() => server.Client.CreateSandboxAsync(new SandboxRequest()))).Error.Code);
    }

    [Fact]
    public async Task It_says_how_it_is()
    {
        await using var server = await SocketServer.StartAsync();
        await server.Client.PingAsync();
        var status = await server.Client.GetEngineAsync();

        Assert.Equal((Environment.ProcessId, "build1", 0, false), (status.Pid, status.Build, status.Sandboxes, status.Stopping));
        Assert.Equal("fake", status.Isolation.Backend);
        Assert.Equal(TimeSpan.FromMinutes(10), status.IdleLimit);
    }

    private sealed class Engine : IAsyncDisposable
    {
        public TaskCompletionSource Disposed { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public ValueTask DisposeAsync()
        {
            Disposed.TrySetResult();
            return ValueTask.CompletedTask;
        }
    }
}
