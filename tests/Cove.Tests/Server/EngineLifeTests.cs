using Cove.Tests.Support;
using Xunit;

namespace Cove.Tests.Server;

public sealed class EngineLifeTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

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
    public async Task It_says_how_it_is()
    {
        await using var server = await SocketServer.StartAsync();
        await server.Client.PingAsync();
        var status = await server.Client.GetEngineAsync();

        Assert.Equal((Environment.ProcessId, "build1", 0, false), (status.Pid, status.Build, status.Sandboxes, status.Stopping));
        Assert.Equal("fake", status.Isolation.Backend);
        Assert.Equal(TimeSpan.FromMinutes(10), status.IdleLimit);
    }
}
